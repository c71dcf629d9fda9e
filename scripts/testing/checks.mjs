import { spawn } from 'node:child_process';
import { join } from 'node:path';

const CHECKS = [
  { name: 'type check', args: ['node_modules/typescript/bin/tsc', '--pretty', 'false'] },
  { name: 'lint and format', args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--colors=off', '.'] },
];

/** Runs the type check and the linter; answers the failures as `[{ where, error }]`. */
export async function runChecks({ root, node, print }) {
  const failures = [];
  for (const { name, args } of CHECKS) {
    const began = performance.now();
    const { code, output } = await run(node, [join(root, args[0]), ...args.slice(1)], root);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    print(`${code === 0 ? 'ok  ' : 'FAIL'} ${name}  ${seconds} s`);
    if (code !== 0) failures.push({ where: name, error: output.trim() });
  }
  return failures;
}

function run(program, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = `${output}${chunk}`.slice(-65_536);
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
