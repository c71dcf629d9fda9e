import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { redisCall, toRedisError } from '#redis/redis-error.ts';

function failing(message: string, more: object = {}): Error {
  return Object.assign(new Error(message), more);
}

test('a server that is away or will not serve now is unavailable', () => {
  const messages = [
    'Command timed out',
    'Connection is closed.',
    'connect ECONNREFUSED 127.0.0.1:6379',
    'Reached the max retries per request limit (which is 1). Refer to "maxRetriesPerRequest" option for details.',
    'LOADING Redis is loading the dataset in memory',
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    'MISCONF Redis is configured to save RDB snapshots',
    'getaddrinfo ENOTFOUND redis',
  ];
  for (const message of messages) {
    const error = toRedisError(failing(message), 'enqueue');
    assert.equal(error.code, 'redis-unavailable', message);
    assert.ok((error.retryAfterMs ?? 0) > 0);
  }
  assert.equal(toRedisError(failing('', { code: 'ECONNRESET' }), 'enqueue').code, 'redis-unavailable');
});

test('refused credentials are unsuitable and say what to mend', () => {
  for (const message of ['NOAUTH Authentication required.', 'WRONGPASS invalid username-password pair', 'NOPERM no']) {
    const error = toRedisError(failing(message), 'connect');
    assert.equal(error.code, 'redis-unsuitable');
    assert.match(error.mend ?? '', /password/);
  }
});

test('the command of the driver, with its arguments, is left behind', () => {
  const error = toRedisError(failing('ERR syntax error', { command: { name: 'auth', args: ['hunter2'] } }), 'connect');
  assert.equal(error.code, 'internal');
  assert.equal(error.cause, undefined);
  assert.ok(!JSON.stringify({ ...error, message: error.message }).includes('hunter2'));
});

test('an error of ours passes unchanged', async () => {
  const ours = new AppError('lock-lost', 'gone');
  await assert.rejects(redisCall('anything', Promise.reject(ours)), ours);
});
