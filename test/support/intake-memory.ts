import { AppError } from '#model/errors.ts';
import type { ImageRef } from '#model/image-ref.ts';
import { deduplicationId, type ImageJob } from '#model/job.ts';
import type { IntakePorts, PushedEvidence } from '#producer/intake/ports.ts';

/** The intake's ports kept in memory, by the rules of the real ones: what is enqueued twice is one job. */
export interface IntakeMemory {
  readonly ports: IntakePorts;
  readonly jobs: { readonly id: string; readonly job: ImageJob; readonly delayMs: number }[];
  /** Questions to the registry about what is said to be removed; no jobs of images. */
  readonly looks: { readonly job: ImageJob; readonly delayMs: number }[];
  /** Pushes to tags that list evidence. */
  readonly evidence: PushedEvidence[];
  /** `registry/repository@digest`. */
  readonly own: Set<string>;
  readonly remembered: Set<string>;
}

/** @param mayBeLost what a push to a tag that lists evidence is taken for. */
export function createIntakeMemory(overrides: Partial<IntakePorts> = {}, mayBeLost = false): IntakeMemory {
  const jobs: IntakeMemory['jobs'] = [];
  const looks: IntakeMemory['looks'] = [];
  const evidence: IntakeMemory['evidence'] = [];
  const own = new Set<string>();
  const remembered = new Set<string>();
  const counts = new Map<string, number>();
  const ports: IntakePorts = {
    queue: {
      async enqueueImage(_lane, job, { delayMs = 0 } = {}) {
        if (job.kind === 'look') return { id: `look-${looks.push({ job, delayMs })}`, state: 'queued' };
        const key = keyOf(job);
        const before = jobs.find((one) => keyOf(one.job) === key);
        if (before) return { id: before.id, state: 'duplicate' };
        const id = String(jobs.length + 1);
        jobs.push({ id, job, delayMs });
        return { id, state: 'queued' };
      },
    },
    ownPushes: { has: async (repository, digest) => own.has(`${repository}@${digest}`) },
    evidence: {
      async pushed(pushed) {
        evidence.push(pushed);
        return mayBeLost;
      },
    },
    deliveries: {
      seen: async (source, id) => remembered.has(`${source} ${id}`),
      async remember(source, id) {
        remembered.add(`${source} ${id}`);
      },
    },
    rate: {
      async count(repository) {
        const count = (counts.get(repository) ?? 0) + 1;
        counts.set(repository, count);
        return count;
      },
    },
    outbound: {
      get: async (url) => {
        throw new AppError('host-not-allowed', `nothing may be fetched from ${url.host} here`);
      },
    },
    ...overrides,
  };
  return { ports, jobs, looks, evidence, own, remembered };
}

function keyOf({ kind, image }: ImageJob): string {
  return deduplicationId(kind, image as ImageRef);
}
