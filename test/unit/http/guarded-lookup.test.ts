import assert from 'node:assert/strict';
import { it } from 'node:test';
import { guardedLookup } from '#http/guarded-lookup.ts';

// `localhost` stands for any name: what is judged is the address that the resolver gave.
function look(loopbackAllowed: boolean, all: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    guardedLookup(loopbackAllowed)('localhost', { all }, (error, address) => {
      if (error) reject(error);
      else resolve(address);
    });
  });
}

it('refuses a name that leads to this machine, however it is asked', async () => {
  for (const all of [true, false]) {
    await assert.rejects(look(false, all), { code: 'host-not-allowed', message: /leads to a loopback address/ });
  }
});

it('answers as the resolver where that is allowed', async () => {
  const address = await look(true, false);
  assert.ok(address === '127.0.0.1' || address === '::1', String(address));
  const all = await look(true, true);
  assert.ok(Array.isArray(all) && all.length > 0);
});
