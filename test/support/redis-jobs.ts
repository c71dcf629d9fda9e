import { relayOutbox } from '#compose/dispatch.ts';
import type { InstallationParts } from '#compose/installation.ts';
import { runImageJob } from '#jobs/image-job.ts';
import type { JobPorts } from '#jobs/job-ports.ts';
import type { JobReport } from '#jobs/job-report.ts';
import { createRedisLedger } from '#ledger/redis-ledger.ts';
import type { CloudEvent } from '#model/event.ts';
import type { ImageJob } from '#model/job.ts';
import type { Ledger, Outbox } from '#model/ledger.ts';
import type { Rule } from '#model/rule.ts';
import type { Target } from '#oci/target.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createEvidenceLock } from '#redis/evidence-lock.ts';
import { createEvidencePushes } from '#redis/evidence-pushes.ts';
import { createHandedIn } from '#redis/handed-in.ts';
import { createOwnPushes } from '#redis/own-pushes.ts';
import { createWrittenEvidence } from '#redis/written-evidence.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';
import { enginePorts, NOW } from './installation.ts';
import { testJobs } from './job-ports.ts';

export interface RedisJobs {
  readonly ports: JobPorts;
  readonly ledger: Ledger & Outbox;
  /** What jobs enqueued. */
  readonly enqueued: ImageJob[];
  run(job: ImageJob): Promise<readonly JobReport[]>;
  /** Hands on what the outbox holds; answers those events. */
  relay(): Promise<readonly CloudEvent[]>;
  /** Moves the clock of the jobs. */
  pass(ms: number): void;
}

export interface RedisJobsSettings extends Partial<Omit<InstallationParts, 'rules' | 'signers'>> {
  readonly store: RedisConnection;
  readonly prefix: string;
  readonly target: Target;
  readonly rules: readonly Rule[];
  readonly signers: readonly ConfiguredSigner[];
}

const SOURCE = 'urn:attestry:test';

/** What a worker's jobs work with: ledger, lock and records in Redis. Time stands still until it is passed. */
export function redisJobs({ store, prefix, target, rules, signers, ...parts }: RedisJobsSettings): RedisJobs {
  let now = NOW;
  const { client } = store;
  const clock = () => now;
  const engine = enginePorts(target, {
    lock: createEvidenceLock(client, { prefix, leaseMs: 10_000 }),
    ownPushes: createOwnPushes(client, { prefix }),
    written: createWrittenEvidence(client, { prefix }),
    now: clock,
  });
  const ledger = createRedisLedger(client, { prefix });
  const { ports: inMemory, enqueued } = testJobs(engine, rules, signers, { ...parts, now: clock });
  const handedIn = createHandedIn(client, { prefix });
  const evidencePushes = createEvidencePushes(client, { prefix });
  const ports: JobPorts = { ...inMemory, ledger, outbox: ledger, handedIn, evidencePushes };
  return {
    ports,
    ledger,
    enqueued,
    run: (job) => runImageJob('push', job, [], ports, { signal: new AbortController().signal }),
    async relay() {
      const events: CloudEvent[] = [];
      const dispatch = async (event: CloudEvent) => void events.push(event);
      await relayOutbox(ledger, dispatch, { source: SOURCE, now: clock }, 1000);
      return events;
    },
    pass(ms) {
      now = new Date(now.getTime() + ms);
    },
  };
}
