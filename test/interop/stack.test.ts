import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ENDPOINTS } from './stack/endpoints.ts';
import { startSigstoreStack } from './stack/sigstore-stack.ts';

describe('the private Sigstore of these tests', () => {
  it('starts whole, says what it takes, and leaves nothing behind', async (context) => {
    const dir = await (async () => {
      await using stack = await startSigstoreStack();
      const memory = await stack.memory();
      const total = Object.values(memory).reduce((sum, mib) => sum + mib, 0);
      context.diagnostic(`ready after ${stack.startMs} ms; ${total} MiB: ${JSON.stringify(memory)}`);
      assert.equal(Object.keys(memory).length, 8);
      for (const [name, mib] of Object.entries(memory)) assert.ok(mib > 0, name);
      const token = stack.issuer.token('email');
      assert.equal(token.split('.').length, 3);
      return stack.scratch.dir;
    })();
    assert.throws(() => readdirSync(dir), { code: 'ENOENT' });
    for (const url of Object.values(ENDPOINTS)) await assert.rejects(fetch(url), url);
  });
});
