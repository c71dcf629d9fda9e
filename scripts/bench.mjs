// node scripts/bench.mjs NAME [FLAGS]: sets up what tests need, then runs test/bench/NAME.ts.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError, say } from './setup/setup-error.mjs';
import { ROOT, setUp } from './setup.mjs';

try {
  const [name = '', ...flags] = process.argv.slice(2);
  const file = join(ROOT, 'test', 'bench', `${name}.ts`);
  if (!/^[a-z-]+$/.test(name) || !existsSync(file)) throw new SetupError(`there is no bench "${name}"`);
  const { node } = await setUp({ forTest: true });
  const child = spawn(node, [file, ...flags], { cwd: ROOT, stdio: 'inherit' });
  process.exitCode = await new Promise((resolve) => child.once('close', (code) => resolve(code ?? 2)));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 2;
}
