import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_DATA } from '#events/catalogue.ts';
import { wantsEvent } from '#events/route.ts';
import {
  certificateExpiring,
  certificateRenewed,
  intakeUnauthenticated,
  jobDead,
  rateExceeded,
  trustStale,
} from '#events/watch-events.ts';
import { evidenceAttached, evidenceLost, evidenceRestored, signingRefused } from '#events/work-events.ts';
import { type CloudEvent, EVENTS } from '#model/event.ts';
import type { ImageJob } from '#model/job.ts';
import { DIGEST, IMAGE } from '../../support/verdict.ts';

const job: ImageJob = {
  v: 1,
  kind: 'attest',
  image: { registry: 'registry.example.com', repository: 'team/app', tag: '1.0', digest: DIGEST },
  source: 'prod-registry',
  actor: 'ci\u0007bot',
  cause: 'push',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  receivedAt: '2026-01-02T03:04:05.000Z',
};
const context = { source: 'urn:attestry:test', now: new Date('2026-01-02T03:05:00Z') };
const work = { ...context, image: IMAGE, rule: 'team', job };
const piece = {
  type: 'cyclonedx',
  predicateType: 'https://cyclonedx.org/bom',
  location: 'registry.example.com/team/app:sha256-x.att',
  subject: DIGEST,
  digest: DIGEST,
  state: 'created',
};

const DAY_MS = 86_400_000;

test('every builder gives the shape that its type promises', () => {
  const events: CloudEvent[] = [
    evidenceAttached(work, [piece]),
    evidenceRestored(work, [piece]),
    evidenceLost(work, [piece]),
    signingRefused(work, { reason: 'tag', why: 'tag 1.0 is not v*' }),
    certificateExpiring(
      {
        id: 's',
        fingerprint: 'ab',
        certificate: 'CN=s',
        notAfter: new Date('2026-01-12T00:00:00Z'),
        threshold: DAY_MS,
      },
      context,
    ),
    certificateRenewed(
      { id: 's', fingerprint: 'cd', certificate: 'CN=s', notAfter: new Date('2027-01-12T00:00:00Z'), previous: 'ab' },
      context,
    ),
    trustStale({ id: 't', code: 'network', reason: 'no answer' }, context),
    rateExceeded({ source: 's', repository: 'registry.example.com/team/app', limit: 600 }, context),
    intakeUnauthenticated('s', context),
    jobDead(
      { lane: 'push', jobId: '7', image: IMAGE, code: 'not-found', reason: 'no such manifest', attempts: 3 },
      context,
    ),
  ];
  assert.equal(new Set(events.map(({ type }) => type)).size, events.length);
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
  for (const event of events) EVENT_DATA[event.type].data.parse(event.data);
});

test('the catalogue holds a shape for every event type', () => {
  assert.deepEqual(Object.keys(EVENT_DATA), Object.keys(EVENTS));
});

test('a retry of the job tells the same event, in whatever order the evidence comes', () => {
  const other = { ...piece, type: 'slsaprovenance1', location: 'elsewhere' };
  const later = { ...work, now: new Date('2026-01-02T04:00:00Z') };
  assert.equal(evidenceAttached(work, [piece, other]).id, evidenceAttached(later, [other, piece]).id);
  assert.notEqual(evidenceAttached(work, [piece]).id, evidenceAttached(work, [other]).id);
});

test('lost evidence is told as lost, even when it was restored meanwhile', () => {
  const event = evidenceLost(work, [{ ...piece, state: 'restored' }]);
  assert.deepEqual(
    event.data.evidence.map(({ state }) => state),
    ['lost'],
  );
});

test('an event carries the trace and the actor of its job, without control characters', () => {
  const event = signingRefused(work, { reason: 'tag', why: 'why' });
  assert.equal(event.traceparent, job.traceparent);
  assert.equal(event.data.actor, 'ci bot');
});

test('a flood of the same trouble is one event an hour, one a threshold for certificates', () => {
  const at = (time: string) => ({ ...context, now: new Date(time) });
  assert.equal(
    intakeUnauthenticated('s', at('2026-01-02T03:05:00Z')).id,
    intakeUnauthenticated('s', at('2026-01-02T03:59:00Z')).id,
  );
  assert.notEqual(
    intakeUnauthenticated('s', at('2026-01-02T03:05:00Z')).id,
    intakeUnauthenticated('s', at('2026-01-02T04:00:00Z')).id,
  );
  const notAfter = new Date('2026-01-12T00:00:00Z');
  const signer = { id: 's', fingerprint: 'ab', certificate: 'CN=s', notAfter, threshold: 14 * DAY_MS };
  const [one, two] = [
    certificateExpiring(signer, at('2026-01-02T03:00:00Z')),
    certificateExpiring(signer, at('2026-01-04T20:00:00Z')),
  ];
  assert.equal(one.id, two.id);
  assert.deepEqual([one.data.daysLeft, one.data.threshold], [9, 14]);
  assert.notEqual(one.id, certificateExpiring({ ...signer, threshold: 7 * DAY_MS }, at('2026-01-05T03:00:00Z')).id);
  assert.match(certificateExpiring(signer, at('2026-01-13T00:00:00Z')).data.message, /ended on 2026-01-12/);
});

test('without patterns a sink gets all but the repeated alerts', () => {
  const wanted = Object.keys(EVENTS).filter((type) => wantsEvent(undefined, { type: type as keyof typeof EVENTS }));
  assert.equal(wanted.length, Object.keys(EVENTS).length - 2);
  assert.ok(!wanted.some((type) => type.includes('.alert.')));
  assert.ok(wantsEvent(['dev.attestry.verdict.*'], { type: 'dev.attestry.verdict.changed.v1' }));
  assert.ok(!wantsEvent(['dev.attestry.verdict.*'], { type: 'dev.attestry.job.dead.v1' }));
});
