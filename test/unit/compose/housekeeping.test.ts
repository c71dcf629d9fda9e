import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHousekeeping, type HousekeepingParts } from '#compose/housekeeping.ts';
import { gaugeState } from '#compose/state-gauges.ts';
import { createMemoryLedger } from '#ledger/memory-ledger.ts';
import { sha256 } from '#model/digest.ts';
import type { CloudEvent } from '#model/event.ts';
import type { DueItem } from '#model/ledger.ts';
import type { JobQueues } from '#queue/queues.ts';
import { createMetrics } from '#telemetry/metrics.ts';
import type { RevocationLists } from '#trust/revocation-lists.ts';
import { verdictOf } from '../../support/verdict.ts';

const START = Date.parse('2026-06-01T12:00:00Z');
const reconcile = {
  wake: 30_000,
  batch: 200,
  retryError: 300_000,
  askAbove: 500,
  certificateWarning: 0,
  revocation: 900_000,
};

/** Queues that take everything; each call takes this long. */
function queuesOf(tick: () => void): JobQueues {
  return {
    enqueueImage: async () => {
      tick();
      return { id: '1', state: 'queued' };
    },
    isWaiting: async () => false,
    enqueueDelivery: async () => ({ id: '1', state: 'queued' }),
    counts: async () => [],
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function setUp(
  ledger: ReturnType<typeof createMemoryLedger>,
  dispatch: (event: CloudEvent) => Promise<void>,
  more: Partial<HousekeepingParts> = {},
) {
  let clock = START;
  const queues = queuesOf(() => {
    clock += 50;
  });
  const now = () => new Date(clock);
  const told = { once: (_what: string, tell: () => Promise<void>) => tell() };
  const parts = { ledger, queues, signers: new Map(), told, dispatch, reconcile, source: 'urn:test', now };
  return createHousekeeping({
    ...parts,
    traceparent: () => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ...more,
  });
}

async function ledgerWithAlerts(count: number) {
  const ledger = createMemoryLedger();
  const at = new Date(START);
  for (let image = 0; image < count; image++) {
    const name = `registry.example.com/team/app-${image}@${sha256('image')}`;
    await ledger.record({ image: name, verdict: verdictOf('fail'), at, nextDue: at });
  }
  return ledger;
}

test('every open alert is sent again, though all images are red, and though one cannot be sent', async () => {
  const sent: string[] = [];
  const housekeeping = setUp(await ledgerWithAlerts(2500), async ({ subject }) => {
    if (subject.includes('app-3@')) throw new Error('not this one');
    sent.push(subject);
  });
  await assert.rejects(housekeeping.run('alerts'), /not this one/);
  assert.equal(new Set(sent).size, 2499);
});

test('however much is due, the other wakes get their turn', async () => {
  const ledger = createMemoryLedger();
  const item: DueItem = { image: `registry.example.com/a@${sha256('x')}`, policyUri: 'p', due: new Date(START) };
  let pages = 0;
  const endless = {
    ...ledger,
    due: async () => {
      pages += 1;
      return Array.from({ length: reconcile.batch }, (_, at) => ({ ...item, image: `r.example/${at}@${sha256('x')}` }));
    },
    defer: async () => undefined,
  };
  await setUp(endless, async () => undefined).run('due');
  // 200 jobs of 50 ms a page, and 20 s for all.
  assert.equal(pages, 2);
});

test('scrapes in quick succession look at the installation once', async () => {
  let clock = START;
  let looks = 0;
  const metrics = createMetrics();
  const ledger = { ...createMemoryLedger(), coverage: async () => ({ images: ++looks, byOutcome: { pass: looks } }) };
  gaugeState(
    metrics,
    queuesOf(() => undefined),
    ledger,
    () => new Date(clock),
  );
  await Promise.all([metrics.render(), metrics.render()]);
  await metrics.render();
  assert.equal(looks, 1);
  clock += 1000;
  assert.match((await metrics.render()).body, /attestry_evidence_coverage\{outcome="pass"\} 2/);
});

test('images that a revocation made due get their jobs at once, with the cause', async () => {
  const ledger = createMemoryLedger();
  const image = `registry.example.com/team/app@${sha256('image')}`;
  const verdict = verdictOf('pass');
  await ledger.record({ image, verdict, at: new Date(START), nextDue: new Date(START + 3_600_000) });
  const causes: string[] = [];
  const queues: JobQueues = {
    ...queuesOf(() => {}),
    enqueueImage: async (_lane, { cause }) => {
      causes.push(cause);
      return { id: '1', state: 'queued' };
    },
  };
  const certificate = { source: 'env:LIST', serial: '11', said: 'good' };
  const entries = { bySerial: new Map([['11', { since: new Date(0), reason: 'keyCompromise' }]]), unknownCritical: [] };
  const lists = { refresh: async () => ({ lists: [{ entries }] }) } as unknown as RevocationLists;
  const revocation = {
    revocation: { lists: new Map([['company', lists]]) },
    memory: { asked: async () => [certificate], note: async () => {} },
    policiesOf: () => [verdict.policy.uri],
  };
  await setUp(ledger, async () => {}, { queues, revocation }).run('revocation');
  assert.deepEqual(causes, ['certificate-revoked']);
});
