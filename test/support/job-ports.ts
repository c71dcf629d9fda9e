import { createInstallation, type InstallationParts } from '#compose/installation.ts';
import type { EnginePorts } from '#engine/engine-ports.ts';
import type { JobPorts } from '#jobs/job-ports.ts';
import { createMemoryLedger } from '#ledger/memory-ledger.ts';
import type { HandedInStore } from '#model/handed-in.ts';
import type { ImageJob } from '#model/job.ts';
import type { Ledger, OutboxEntry } from '#model/ledger.ts';
import type { Rule } from '#model/rule.ts';
import { DEFAULT_PREDICATE_TYPES } from '#model/rule.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';
import { createMemoryEvidencePushes } from './evidence-pushes-memory.ts';
import { createMemoryHandedIn } from './handed-in-memory.ts';
import { createMemoryTagNames } from './tag-names-memory.ts';

export interface TestJobs {
  readonly ports: JobPorts;
  readonly ledger: Ledger;
  /** What jobs enqueued. */
  readonly enqueued: ImageJob[];
  readonly handedIn: HandedInStore;
  /** Types of the events in the outbox, in order; taken out of it. */
  told(): Promise<readonly string[]>;
}

/** What jobs work with, without Redis: the ledger is in memory, the engine as given. */
export function testJobs(
  engine: EnginePorts,
  rules: readonly Rule[],
  signers: readonly ConfiguredSigner[],
  more: Partial<InstallationParts & { now(): Date }> = {},
): TestJobs {
  const ledger = createMemoryLedger();
  const enqueued: ImageJob[] = [];
  const installation = createInstallation({
    source: 'urn:attestry:test',
    rules,
    signers: new Map(signers.map((signer) => [signer.id, { signer, former: [] }])),
    trusts: new Map(),
    policies: new Map(),
    ...more,
  });
  const handedIn = createMemoryHandedIn();
  const ports: JobPorts = {
    engine,
    installation,
    ledger,
    outbox: ledger,
    handedIn,
    evidencePushes: createMemoryEvidencePushes(),
    retryErrorMs: 300_000,
    tagNames: createMemoryTagNames(),
    referrers: { subjectOf: async () => undefined },
    enqueue: async (job) => void enqueued.push(job),
    now: more.now ?? engine.now,
  };
  async function told(): Promise<readonly string[]> {
    const types: string[] = [];
    await ledger.relay(async (entry) => void types.push(typeOf(entry)), 1000);
    return types;
  }
  return { ports, ledger, enqueued, handedIn, told };
}

function typeOf(entry: OutboxEntry): string {
  return entry.kind === 'event' ? entry.event.type : `${entry.transition.change} ${entry.transition.verdict.outcome}`;
}

/** A rule that wants provenance by one signer. */
export function provenanceRule(name: string, signer: string, more: Partial<Rule> = {}): Rule {
  return {
    name,
    match: {},
    evidence: [
      {
        type: 'slsaprovenance1',
        predicateType: DEFAULT_PREDICATE_TYPES.slsaprovenance1,
        layout: 'cosign-tag',
        signer,
        platforms: false,
      },
    ],
    policies: [],
    onLapse: 'attest',
    ...more,
  };
}
