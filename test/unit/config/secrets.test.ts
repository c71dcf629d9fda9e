import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { createSecretResolver, settingValue } from '#config/secrets.ts';

const dir = mkdtempSync(join(tmpdir(), 'attestry-secrets-'));
after(() => rmSync(dir, { recursive: true }));
const env: Record<string, string> = { TOKEN: 'hunter2', EMPTY: '' };
const secrets = createSecretResolver({ env, readFileSync: (path) => readFileSync(path) });

test('a secret comes from a variable or a file, and prints redacted', () => {
  const file = join(dir, 'token');
  writeFileSync(file, 'hunter3\n');
  assert.equal(secrets('env:TOKEN').reveal(), 'hunter2');
  assert.equal(secrets(`file:${file}`).reveal(), 'hunter3');
  const secret = secrets('env:TOKEN');
  assert.doesNotMatch(`${secret} ${JSON.stringify({ secret })} ${inspect({ secret })}`, /hunter2/);
});

test('only one line end is taken off: a key keeps its lines', () => {
  const file = join(dir, 'key');
  writeFileSync(file, 'a\nb\r\n\r\n');
  assert.equal(secrets(`file:${file}`).reveal(), 'a\nb\r\n');
});

test('a rotated file counts at the next look', () => {
  const file = join(dir, 'rotated');
  writeFileSync(file, 'one');
  assert.equal(secrets(`file:${file}`).reveal(), 'one');
  writeFileSync(file, 'two');
  assert.equal(secrets(`file:${file}`).reveal(), 'two');
});

test('what is missing, empty, too large or no reference is refused without being shown', () => {
  const large = join(dir, 'large');
  writeFileSync(large, 'x'.repeat(300 * 1024));
  const refused: readonly (readonly [string, RegExp])[] = [
    ['env:NOPE', /variable NOPE is not set/],
    ['env:EMPTY', /env:EMPTY is empty/],
    [`file:${dir}/nope`, /no such file/],
    [`file:${dir}`, /it is a folder/],
    [`file:${large}`, /larger than 256 KiB/],
  ];
  for (const [reference, message] of refused) {
    assert.throws(() => secrets(reference), { code: 'config-invalid', message });
  }
  assert.throws(
    () => secrets('hunter2'),
    (error: Error) => !error.message.includes('hunter2'),
  );
});

test('a setting may be the value itself or a reference to it', () => {
  assert.equal(settingValue('redis://host', secrets), 'redis://host');
  assert.equal(settingValue('env:TOKEN', secrets), 'hunter2');
});
