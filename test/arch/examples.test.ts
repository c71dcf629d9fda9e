import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { parseAllDocuments } from 'yaml';
import { COMMANDS } from '#cli/catalogue.ts';
import { main } from '#cli/main.ts';
import { checkConfig } from '#config/check.ts';
import { allExamples, consoleSteps, documents } from '../support/documentation.ts';
import { MANIFEST, ROOT } from './source-files.ts';

const EXAMPLES = allExamples();
const GLOBAL_FLAGS = ['--help', '--version', '--quiet', '--json', '-h', '-q'];

test('yaml and json blocks parse', () => {
  for (const { place, language, text } of EXAMPLES) {
    if (language === 'json') assert.doesNotThrow(() => JSON.parse(text), place);
    if (language !== 'yaml') continue;
    for (const document of parseAllDocuments(text)) assert.deepEqual(document.errors, [], place);
  }
});

test('configurations that are shown pass the check', async () => {
  const configurations = EXAMPLES.filter(
    ({ language, note }) => language === 'yaml' && /\battestry\.yaml\b/.test(note),
  );
  for (const { place, text } of configurations) {
    const { problems } = await checkConfig('attestry.yaml', { readFile: async () => text, env: {} }, 'none');
    assert.deepEqual(problems, [], place);
  }
});

test('console blocks show commands, flags, scripts and files that exist', async () => {
  const blocks = EXAMPLES.filter(({ language }) => language === 'console');
  assert.ok(blocks.length > 0);
  for (const { place, text } of blocks) {
    const steps = consoleSteps(text);
    assert.ok(steps.length > 0, `${place}: a console block without a line that starts with "$ "`);
    for (const { command } of steps) {
      // What a shell puts between programs ends one command and starts the next.
      for (const part of command.split(/\s(?:\||&&|;)\s/)) await assertKnown(part.trim(), place);
    }
  }
});

async function assertKnown(command: string, place: string): Promise<void> {
  const words = command.split(/\s+/).filter((word) => !/^[A-Z_]+=/.test(word));
  const at = words.indexOf('attestry');
  if (at >= 0) return assertCommand(words.slice(at + 1), `${place}: ${command}`);
  const [program, first = '', second = ''] = words;
  if (program === 'npm' && first === 'run') assert.ok(second in MANIFEST.scripts, `${place}: no script ${second}`);
  else if (program === 'npm' && /^(?:start|test)$/.test(first)) assert.ok(first in MANIFEST.scripts, place);
  else if (program === 'node' && !first.startsWith('-')) assert.ok(existsSync(join(ROOT, first)), `${place}: ${first}`);
  else if (/^\.{0,2}\/?[\w.-]+\//.test(program ?? ''))
    assert.ok(existsSync(join(ROOT, program ?? '')), `${place}: ${program}`);
}

async function assertCommand(words: readonly string[], place: string): Promise<void> {
  const [name = ''] = words;
  if (GLOBAL_FLAGS.includes(name)) return;
  assert.ok(
    COMMANDS.some((command) => command.name === name),
    `${place}: there is no command "${name}"`,
  );
  const usage = await usageOf(name);
  for (const word of words.filter((text) => /^--?[a-z]/.test(text))) {
    const flag = word.replace(/=.*$/, '');
    assert.ok(GLOBAL_FLAGS.includes(flag) || usage.includes(flag), `${place}: ${name} has no flag ${flag}`);
  }
}

async function usageOf(name: string): Promise<string> {
  let said = '';
  await main([name, '--help'], {
    stdout: (text) => {
      said += text;
    },
    stderr: () => undefined,
    readFile: () => Promise.reject(new Error('--help reads no file')),
    env: {},
    now: () => new Date(0),
    signal: new AbortController().signal,
    interactive: false,
  });
  return said;
}

test('links between documents lead somewhere', () => {
  const broken = documents().flatMap((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8').replace(/```[\s\S]*?```/g, '');
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] ?? '')
      .filter((link) => !/^(?:[a-z]+:|#)/.test(link))
      .filter((link) => !existsSync(join(ROOT, dirname(path), link.replace(/#.*$/, ''))))
      .map((link) => `${path}: ${link}`);
  });
  assert.deepEqual(broken, []);
});
