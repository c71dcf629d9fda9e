import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceExpiring, passedThreshold } from '#compose/expiring.ts';
import type { CloudEvent } from '#model/event.ts';
import { createX509Signer } from '#signing/x509.ts';
import { makePki } from '../../support/pki.ts';

const DAY_MS = 86_400_000;
const END = Date.parse('2026-07-01T00:00:00Z');

test('the nearest threshold that was passed counts', () => {
  const cases = [
    [31, undefined],
    [30, 30],
    [15, 30],
    [14, 14],
    [7.5, 14],
    [3, 3],
    [0.5, 1],
    [0, 0],
    [-40, 0],
  ] as const;
  for (const [left, wanted] of cases) {
    const days = wanted === undefined ? undefined : wanted * DAY_MS;
    assert.equal(passedThreshold(left * DAY_MS, 30 * DAY_MS), days, String(left));
  }
  assert.equal(passedThreshold(9 * DAY_MS, 10 * DAY_MS), 10 * DAY_MS);
  assert.equal(passedThreshold(6 * DAY_MS, 5 * DAY_MS), undefined);
});

test('each threshold is told once, and again while telling fails', async () => {
  const pki = makePki({ leaf: { notAfter: new Date(END) } });
  const options = { keyPem: pki.leaf.keyPem, certificatePem: pki.leaf.pem, chainPem: pki.chainPem };
  const signer = createX509Signer({ id: 'release', ...options, now: new Date(END - 90 * DAY_MS) });
  const signers = new Map([['release', { signer, former: [] }]]);
  const known = new Set<string>();
  const told = {
    once: async (what: string, tell: () => Promise<void>) => {
      if (known.has(what)) return;
      await tell();
      known.add(what);
    },
  };
  const sent: CloudEvent[] = [];
  let isDown = true;
  const dispatch = async (event: CloudEvent) => {
    if (isDown) throw new Error('down');
    sent.push(event);
  };
  const at = (left: number) => ({ source: 'urn:test', now: new Date(END - left * DAY_MS) });
  const announce = (left: number) => announceExpiring(signers, 30 * DAY_MS, told, dispatch, at(left));
  await announce(40);
  await assert.rejects(announce(29), /down/);
  isDown = false;
  for (const left of [29, 28, 20, 14, 13, 6, 2.9, 2, 0.9, -0.1, -5]) await announce(left);
  assert.deepEqual(
    sent.map(({ data }) => (data as { threshold: number }).threshold),
    [30, 14, 7, 3, 1, 0],
  );
});
