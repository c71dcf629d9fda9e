import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import { createLogger, type LogOptions } from '#telemetry/log.ts';

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ level: 'info', format: 'json', name: 'test', destination, ...options });
  return { log, lines, text: () => lines.join('') };
}

const SECRET = 'hunter2-hunter2';

test('one JSON object a line, with time, level, process and message', () => {
  const { log, lines } = capture();
  log.info({ lane: 'push' }, 'job done');
  log.debug('not shown');
  assert.equal(lines.length, 1);
  const record = JSON.parse(lines[0] ?? '');
  assert.deepEqual(Object.keys(record).sort(), ['lane', 'level', 'msg', 'name', 'time']);
  assert.equal(record.level, 'info');
  assert.match(record.time, /^\d{4}-\d\d-\d\dT/);
});

test('secrets do not reach the log by any of the ways that they could', () => {
  for (const format of ['json', 'pretty'] as const) {
    const { log, text } = capture({ format });
    log.info({ password: SECRET, headers: { authorization: `Bearer ${SECRET}`, cookie: SECRET } }, 'a');
    log.info({ registry: { credentials: { password: SECRET }, token: SECRET } }, 'b');
    log.info({ req: { headers: { authorization: SECRET, 'x-api-key': SECRET, 'set-cookie': SECRET } } }, 'c');
    log.info({ boxed: new Secret(SECRET, 'env:PASSWORD') }, 'd');
    const cause = Object.assign(new Error(`failed: redis://user:${SECRET}@host`), { command: { args: [SECRET] } });
    log.error({ err: new AppError('redis-unavailable', 'no answer', { cause }) }, 'e');
    log.error({ err: new Error(`GET https://host/path?token=${SECRET}&x=1 Bearer ${SECRET}`) }, 'f');
    log.error(new Error(`https://user:${SECRET}@host`));
    assert.ok(!text().includes(SECRET), text());
    assert.match(text(), /redacted env:PASSWORD/);
  }
});

test('an error of ours shows code, field and mend, and no stack', () => {
  const { log, lines } = capture();
  const cause = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
  log.error({ err: new AppError('config-invalid', 'bad key', { field: 'redis.url', mend: 'mend it', cause }) }, 'x');
  assert.deepEqual(JSON.parse(lines[0] ?? '').err, {
    code: 'config-invalid',
    message: 'bad key',
    field: 'redis.url',
    mend: 'mend it',
    cause: { type: 'Error', code: 'ECONNREFUSED', message: 'connect refused' },
  });
});

test('a defect of ours shows where it is', () => {
  const { log, lines } = capture();
  log.error({ err: new AppError('internal', 'invariant') }, 'x');
  assert.match(JSON.parse(lines[0] ?? '').err.stack, /log\.test\.ts/);
});

test('causes that go round in a circle end', () => {
  const { log, lines } = capture();
  const error = new Error('a');
  error.cause = error;
  log.error({ err: error }, 'x');
  assert.equal(lines.length, 1);
});

test('pretty: one line for people, in which names cannot steer the terminal', () => {
  const { log, text } = capture({ format: 'pretty' });
  log.warn({ repository: 'a\u001b[2Jb', n: 3 }, 'seen\r\nforged line');
  assert.match(text(), /^\d\d:\d\d:\d\d\.\d{3} WARN {2}seen\ufffd\ufffdforged line repository=a\ufffd\[2Jb n=3\n$/);
});

test('pretty with colours', () => {
  const { log, text } = capture({ format: 'pretty', color: true });
  log.error('bad');
  assert.ok(text().includes('\u001b[31mERROR\u001b[0m bad'));
});
