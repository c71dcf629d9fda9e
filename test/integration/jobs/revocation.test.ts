import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createOutbound } from '#compose/outbound.ts';
import { createRevocation, type Revocation } from '#compose/revocation.ts';
import { createAskedCertificates, policiesUnder, watchRevocation } from '#compose/revocation-watch.ts';
import { loadTrusts } from '#compose/trusts.ts';
import type { ImageJob } from '#model/job.ts';
import { enqueueDue } from '#reconcile/due.ts';
import { createRevocationMemory } from '#redis/revocation-memory.ts';
import { TrustOptions } from '#trust/options.ts';
import { crlPem, distributionPointsAt, type RevokedSpec } from '../../support/crl.ts';
import { type HttpReceiver, startHttpReceiver } from '../../support/http-receiver.ts';
import { NOW, REGISTRY, signerOf } from '../../support/installation.ts';
import { provenanceRule } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki, type Pki } from '../../support/pki.ts';
import { type RedisJobs, redisJobs } from '../../support/redis-jobs.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { doneOf, type JobGround, openJobGround, outcomesOf, typesOf } from '../../support/watched-image.ts';

const SERIAL = Buffer.from([0x66]);
const REVOKED: RevokedSpec = { serial: SERIAL, since: new Date('2026-05-01T00:00:00Z'), reason: 1 };

let ground: JobGround;
let server: HttpReceiver;
let scratch: Scratch;

before(async () => {
  [ground, server, scratch] = await Promise.all([openJobGround(), startHttpReceiver(), makeScratch()]);
});
after(async () => {
  await Promise.all([ground.close(), server[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

interface Worker extends RedisJobs {
  readonly revocation: Revocation;
  /** Looks at the lists as a worker does by the clock; answers how many verdicts are due. */
  watch(): Promise<number>;
  notes(): Promise<void>;
}

/** One worker of an installation whose trust asks for revocation; several share Redis by their prefix. */
async function openWorker(prefix: string, pki: Pki): Promise<Worker> {
  const signer = signerOf(pki);
  await scratch.write(`${prefix}.pem`, pki.chainPem);
  const readFile = async (path: string) => Buffer.from(await scratch.read(path));
  const trust = TrustOptions.parse({
    id: 'company',
    certificateChain: `${prefix}.pem`,
    revocation: { check: 'leaf', hosts: [server.host] },
  });
  let now = NOW;
  const memory = createRevocationMemory(ground.store.client, { prefix });
  const noted: Promise<void>[] = [];
  const asked = createAskedCertificates(assert.ifError);
  asked.keepIn({
    ask: (...certificate) => {
      const work = memory.ask(...certificate);
      noted.push(work);
      return work;
    },
  });
  const outbound = createOutbound({ env: {}, readFile });
  const parts = { outbound, env: {}, readFile, now: () => now, randomBytes, onAsked: asked.note };
  const revocation = await createRevocation([trust], parts);
  const trusts = await loadTrusts([trust], readFile, { revocation: revocation.rules });
  const [evidence] = provenanceRule('all', signer.id).evidence;
  assert.ok(evidence);
  const jobs = redisJobs({
    store: ground.store,
    prefix,
    target: ground.client,
    rules: [provenanceRule('all', signer.id, { evidence: [{ ...evidence, trust: 'company' }] })],
    signers: [signer],
    trusts,
    revocable: revocation.rules,
  });
  const ports = { ...jobs.ports, engine: { ...jobs.ports.engine, revocation } };
  return {
    ...jobs,
    ports,
    revocation,
    run: async (job) => {
      const { runImageJob } = await import('#jobs/image-job.ts');
      return await runImageJob('push', job, [], ports, { signal: new AbortController().signal });
    },
    watch: () =>
      watchRevocation({
        revocation,
        memory,
        ledger: jobs.ledger,
        policiesOf: (id) => policiesUnder(id, ports.installation),
        now: () => now,
      }),
    notes: async () => void (await Promise.all(noted)),
    pass(ms) {
      now = new Date(now.getTime() + ms);
      jobs.pass(ms);
    },
  };
}

async function dueJobs({ ledger, ports }: Worker): Promise<readonly ImageJob[]> {
  const jobs: ImageJob[] = [];
  const enqueueImage = async (_lane: string, job: ImageJob) => {
    jobs.push(job);
    return { id: '1', state: 'queued' as const };
  };
  const traceparent = () => imageJob('x').traceparent;
  const cause = 'certificate-revoked' as const;
  await enqueueDue({ ledger, queues: { enqueueImage }, now: ports.now(), limit: 10, traceparent, cause });
  return jobs;
}

function serve(pki: Pki, revoked: readonly RevokedSpec[]): void {
  server.answer({ status: 200, body: crlPem(pki.intermediate, { revoked }) });
}

describe('a certificate that the CA takes back', () => {
  test('makes the images due whose evidence it signed, in whatever worker, and the verdict is told', async () => {
    const prefix = 'revoked';
    const pki = makePki({ leaf: { serial: SERIAL, extensions: [distributionPointsAt(`${server.url}/ca.crl`)] } });
    serve(pki, []);
    const [attesting, watching] = [await openWorker(prefix, pki), await openWorker(prefix, pki)];
    const repository = `jobs/${prefix}`;
    const digest = await push(ground.client, repository, '1.0', await smallImage(prefix));
    const image = { registry: REGISTRY, repository, tag: '1.0', digest };
    assert.deepEqual(outcomesOf(doneOf(await attesting.run(imageJob(prefix, { image })))), ['pass']);
    await attesting.notes();
    assert.deepEqual(typesOf(await attesting.relay()).toSorted(), ['evidence.attached', 'verdict.first']);

    assert.equal(await watching.watch(), 0, 'a list with nothing new');
    serve(pki, [{ ...REVOKED, serial: Buffer.from([0x67]) }]);
    assert.equal(await watching.watch(), 0, 'another certificate is no news');
    assert.deepEqual(await dueJobs(watching), []);

    serve(pki, [REVOKED]);
    attesting.pass(1000);
    watching.pass(1000);
    assert.equal(await watching.watch(), 1);
    const [job, ...more] = await dueJobs(watching);
    assert.deepEqual([job?.cause, job?.kind, job?.image.digest, more], ['certificate-revoked', 'verify', digest, []]);
    // The worker that gets the job holds the old list.
    const report = doneOf(await attesting.run(job as ImageJob));
    assert.deepEqual(outcomesOf(report), ['fail']);
    const codes = report.verdicts[0]?.reasons.map(({ code }) => code);
    assert.ok(codes?.includes('certificate-revoked'), String(codes));
    assert.deepEqual(typesOf(await attesting.relay()), ['verdict.changed', 'alert.firing']);
    assert.equal((await attesting.ledger.openAlerts(10)).length, 1);
    assert.equal(await watching.watch(), 0, 'told once');
  });

  test('leaves the last known state when its list cannot be had, and is asked again soon', async () => {
    const prefix = 'unknown';
    const pki = makePki({ leaf: { serial: SERIAL, extensions: [distributionPointsAt(`${server.url}/ca.crl`)] } });
    serve(pki, []);
    const worker = await openWorker(prefix, pki);
    const repository = `jobs/${prefix}`;
    const digest = await push(ground.client, repository, '1.0', await smallImage(prefix));
    const image = { registry: REGISTRY, repository, tag: '1.0', digest };
    await worker.run(imageJob(prefix, { image }));
    await worker.relay();
    server.answer('drop');
    const restarted = await openWorker(prefix, pki);
    const report = doneOf(await restarted.run(imageJob(prefix, { image, kind: 'verify' })));
    assert.deepEqual(outcomesOf(report), ['error']);
    assert.deepEqual(report.verdicts[0]?.reasons.filter(({ code }) => code === 'revocation-unknown').length, 1);
    const [state] = await worker.ledger.latest(`${REGISTRY}/${repository}@${digest}`);
    assert.equal(state?.verdict?.outcome, 'pass');
    assert.deepEqual(typesOf(await restarted.relay()), ['verdict.could-not-check']);
    const due = await worker.ledger.due(new Date(NOW.getTime() + worker.ports.retryErrorMs), 10);
    assert.equal(due.length, 1);
    // Nothing is signed for want of a list.
    await assert.rejects(restarted.run(imageJob(prefix, { image })), { code: 'revocation-unknown' });
  });
});
