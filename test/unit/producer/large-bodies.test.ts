import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import { bindRegistries } from '#producer/intake/source.ts';
import { MAX_LARGE_BODIES } from '#producer/limits.ts';
import { zot } from '#producer/webhooks/adapters/zot.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';
import { createTestProducer } from '../../support/producer.ts';

const source = {
  id: 'zot',
  adapter: zot,
  credential: { kind: 'none' as const },
  binding: {
    ...bindRegistries([]),
    digestOnly: 'skip' as const,
    isAttestationTag: evidenceTagTest(),
    isIgnoredActor: () => false,
  },
  ratePerHour: 9,
  cause: 'push' as const,
};

test('large bodies are taken a bounded number at a time, and small ones are not held up by them', async () => {
  const { app } = createTestProducer({ sources: [source], ports: createIntakeMemory().ports });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const sockets: Socket[] = [];
  /** Announces a body without sending it; what comes back up to the wanted text. */
  async function announce(wanted: RegExp): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    // The interim answer to `Expect` says that the request was seen.
    const head = `Host: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n`;
    socket.write(`POST /hooks/zot HTTP/1.1\r\n${head}Content-Length: ${MAX_BODY_BYTES + 1}\r\n\r\n`);
    let seen = '';
    while (!wanted.test(seen)) {
      const [chunk] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) });
      seen += String(chunk);
    }
    return seen;
  }
  try {
    for (let i = 0; i < MAX_LARGE_BODIES; i++) await announce(/ 100 /);
    assert.match(await announce(/ 503 .*\r\n[\s\S]*\r\n\r\n/), /^retry-after: 5\r$/im);
    const small = await fetch(`http://127.0.0.1:${port}/hooks/zot`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    assert.equal(small.status, 200);
    await small.arrayBuffer();
  } finally {
    for (const socket of sockets) socket.destroy();
    await app.close();
  }
});
