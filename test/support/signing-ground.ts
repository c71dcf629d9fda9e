import { randomBytes } from 'node:crypto';
import { readLogKey } from '#crypto/log-key.ts';
import { splitTimestampAuthority } from '#crypto/timestamp-authority.ts';
import { createHttpClient } from '#http/undici-client.ts';
import type { ErrorCode } from '#model/errors.ts';
import type { Peer } from '#signing/peer.ts';
import { createRekorV1Witness } from '#signing/rekor-v1.ts';
import { createRekorV2Witness } from '#signing/rekor-v2.ts';
import { createTimestampWitness } from '#signing/timestamp-authority.ts';
import { makePki } from './pki.ts';
import { startRekorV1 } from './rekor-v1-server.ts';
import { startRekorV2 } from './rekor-v2-server.ts';
import { startTimestampServer } from './timestamp-server.ts';

/** A clock that a test moves. */
export function testClock(start = new Date('2026-06-01T12:00:00Z')) {
  let now = start;
  return {
    now: () => now,
    /** Milliseconds forward. */
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms);
    },
  };
}

/** A peer as the worker makes it, for a server of a test. */
export function peerOf(kind: 'witness' | 'ca', host: string, now: () => Date, stack: AsyncDisposableStack): Peer {
  const http = createHttpClient({ allowedHosts: [host], userAgent: 'attestry-test' });
  stack.defer(() => http.close());
  const code = (what: string) => `${kind}-${what}` as ErrorCode;
  return {
    name: `${kind} (${host})`,
    http,
    timeoutMs: 5000,
    codes: {
      refused: code('refused'),
      unavailable: code('unavailable'),
      throttled: code('throttled'),
      protocol: code('protocol'),
    },
    now,
  };
}

/** Two logs and a timestamp authority with true keys, and the witnesses that ask them. */
export async function startWitnesses(clock = testClock()) {
  const stack = new AsyncDisposableStack();
  const { now } = clock;
  const rekor1 = stack.use(await startRekorV1({ now }));
  const rekor2 = stack.use(await startRekorV2());
  const tsa = stack.use(await startTimestampServer({ pki: makePki(), now }));
  const witnessPeer = (host: string) => peerOf('witness', host, now, stack);
  const log1 = readLogKey(rekor1.pem);
  const log2 = readLogKey(rekor2.pem, '127.0.0.1');
  const v1 = { id: 'rekor-1', url: new URL(rekor1.url), peer: witnessPeer(rekor1.host), maxRequestBytes: 1024 * 1024 };
  const v2 = { id: 'rekor-2', url: new URL(rekor2.url), peer: witnessPeer(rekor2.host) };
  const stamps = {
    id: 'tsa',
    url: new URL(`${tsa.url}/api/v1/timestamp`),
    peer: witnessPeer(tsa.host),
    nonce: () => randomBytes(16),
  };
  return {
    clock,
    rekor1,
    rekor2,
    tsa,
    /** As an installation has them that knows the keys. */
    known: [
      createRekorV1Witness({ ...v1, log: log1 }),
      createRekorV2Witness({ ...v2, log: log2 }),
      createTimestampWitness({ ...stamps, authority: splitTimestampAuthority(tsa.chainPem) }),
    ] as const,
    /** And of one that knows none. */
    unknown: [createRekorV1Witness(v1), createRekorV2Witness(v2), createTimestampWitness(stamps)] as const,
    peer: (host: string) => peerOf('ca', host, now, stack),
    defer: (work: () => Promise<void>) => stack.defer(work),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
export type WitnessGround = Awaited<ReturnType<typeof startWitnesses>>;
