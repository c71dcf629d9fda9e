import assert from 'node:assert/strict';
import type { DoneReport, JobReport } from '#jobs/job-report.ts';
import type { Digest } from '#model/digest.ts';
import type { CloudEvent } from '#model/event.ts';
import type { ImageJob } from '#model/job.ts';
import type { Rule } from '#model/rule.ts';
import type { Target } from '#oci/target.ts';
import { compilePolicies } from '#policy/load.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { readAttached } from './attachments.ts';
import { chainSet, clusterPolicy } from './cluster-policy.ts';
import { REGISTRY, signerOf } from './installation.ts';
import { provenanceRule } from './job-ports.ts';
import { imageJob } from './jobs.ts';
import { makePki } from './pki.ts';
import { startRedis } from './redis.ts';
import { type RedisJobs, redisJobs } from './redis-jobs.ts';
import { startRegistry } from './registry.ts';
import { connect } from './registry-target.ts';
import { push, smallImage } from './small-images.ts';
import { type WatchedTarget, watchTarget } from './watched-target.ts';

/** How often the policy of watched images asks for another look. */
export const EVERY_MS = 3_600_000;

const pki = makePki();
export const signer = signerOf(pki);
const [policy] = compilePolicies(clusterPolicy([chainSet([pki.chainPem])]), { source: 'signed.yaml' });
if (!policy) throw new Error('the policy of the test holds no document');
const policies = new Map([['signed', [{ policy, everyMs: EVERY_MS }]]]);

/** A real Redis and a real registry for the jobs of one test file. */
export interface JobGround {
  readonly store: RedisConnection;
  readonly client: Target;
  /** A pushed image in a repository and under a prefix of its own, and the jobs of a worker with one rule. */
  watched(name: string, rule?: Partial<Rule>): Promise<WatchedImage>;
  close(): Promise<void>;
}

export interface WatchedImage extends RedisJobs {
  readonly repository: string;
  readonly digest: Digest;
  readonly target: WatchedTarget;
  /** The ledger's name of the image. */
  readonly image: string;
  job(more?: Partial<ImageJob>): ImageJob;
  verify(): Promise<DoneReport>;
  attest(more?: Partial<ImageJob>): Promise<DoneReport>;
  loseEvidence(): Promise<void>;
  /** The blobs as well: nothing is left that could be listed again. */
  destroyEvidence(): Promise<void>;
}

export async function openJobGround(): Promise<JobGround> {
  const [redis, registry] = await Promise.all([startRedis(), startRegistry()]);
  const store = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
  const client = connect(registry.url);
  return {
    store,
    client,
    watched: (name, rule = {}) => watch({ store, client, url: registry.url }, name, rule),
    async close() {
      await store.close();
      await client[Symbol.asyncDispose]();
      await Promise.all([redis.stop(), registry.stop()]);
    },
  };
}

async function watch(
  { store, client, url }: Pick<JobGround, 'store' | 'client'> & { readonly url: URL },
  name: string,
  rule: Partial<Rule>,
): Promise<WatchedImage> {
  const repository = `jobs/${name}`;
  const digest = await push(client, repository, '1.0', await smallImage(name));
  const target = watchTarget(client);
  const rules = [provenanceRule('all', signer.id, { policies: ['signed'], ...rule })];
  const jobs = redisJobs({ store, prefix: name, target, rules, signers: [signer], policies });
  const job = (more: Partial<ImageJob> = {}) =>
    imageJob(name, { image: { registry: REGISTRY, repository, tag: '1.0', digest }, ...more });
  return {
    ...jobs,
    repository,
    digest,
    target,
    image: `${REGISTRY}/${repository}@${digest}`,
    job,
    attest: async (more) => doneOf(await jobs.run(job(more))),
    verify: async () => doneOf(await jobs.run(job({ kind: 'verify', cause: 'schedule', source: 'scheduler' }))),
    async loseEvidence() {
      await client.deleteManifest(repository, (await readAttached(client, repository, digest)).digest);
    },
    async destroyEvidence() {
      const attached = await readAttached(client, repository, digest);
      for (const layer of attached.layers) {
        const blob = new URL(`/v2/${repository}/blobs/${layer.digest}`, url);
        assert.equal((await fetch(blob, { method: 'DELETE' })).status, 202);
      }
      await client.deleteManifest(repository, attached.digest);
    },
  };
}

/** The one report of a job that came to its end. */
export function doneOf([report, ...others]: readonly JobReport[]): DoneReport {
  assert.equal(others.length, 0);
  assert.ok(report?.outcome === 'done', `outcome ${report?.outcome}`);
  return report;
}

/** Event types without what all have in common. */
export function typesOf(events: readonly CloudEvent[]): readonly string[] {
  return events.map(({ type }) => type.replace(/^dev\.attestry\.|\.v1$/g, ''));
}

export function outcomesOf({ verdicts }: DoneReport): readonly string[] {
  return verdicts.map(({ outcome }) => outcome);
}
