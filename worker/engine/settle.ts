import {
  confirmed,
  type Decision,
  decide,
  editOf,
  isIdle,
  recordAfter,
  repeat,
  type SettleOptions,
  union,
  withoutPending,
} from '#engine/decision.ts';
import type { EnginePorts } from '#engine/engine-ports.ts';
import { surveyLocation } from '#engine/survey.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { attestationTag, type EvidenceLocation, type WrittenEvidence } from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import type { Lease } from '#model/ports.ts';
import type { EvidenceType } from '#model/rule.ts';
import { attestationLayer } from '#storage/attestation-manifest.ts';
import { missingAfterWrite, writeAttestationTag } from '#storage/attestation-tag-writer.ts';

/** What became of one wish at one location. */
export interface SettledEvidence {
  readonly type: EvidenceType;
  readonly predicateType: string;
  /** `registry/repository:sha256-….att`. */
  readonly location: string;
  /** The image or platform digest that the statement is about. */
  readonly subject: Digest;
  /** Digest of the envelope; absent when there is none. */
  readonly digest?: Digest;
  /** `refused`: missing, and the rule does not let it be signed now. */
  readonly state: 'created' | 'present' | 'replaced' | 'restored' | 'refused';
}

/** How often a location is tried when other writers come between; they hold it for milliseconds. */
const MAX_ATTEMPTS = 6;
const LOCK_WAIT_MS = 30_000;

/** Brings one prepared location to what its wishes say, in one manifest PUT, and reads it back. */
export type Settle = () => Promise<readonly SettledEvidence[]>;

/**
 * Looks at one evidence location and makes what is missing there; nothing is written before the answer is called. The
 * look is without the lock: where nothing is missing, nothing is written.
 * @throws AppError `lock-lost`, `write-conflict` when other writers keep coming between, and the registry errors.
 */
export async function prepareLocation(
  placed: readonly PlacedWish[],
  ports: EnginePorts,
  options: SettleOptions,
): Promise<Settle> {
  const location = (placed[0] as PlacedWish).location;
  const before = await surveyLocation(location, placed, ports, options.signal);
  const first = decide(before, options);
  const done = isIdle(first) && !first.some(({ unconfirmed }) => unconfirmed);
  if (done) return async () => first.map((decision) => settled(decision));
  // Statements are made before the lock is taken: walking layers takes seconds, a PUT milliseconds.
  for (const { action, survey } of first) if (action === 'make') await options.make(survey.placed);
  return () => underLock(location, placed, ports, options);
}

async function underLock(
  location: EvidenceLocation,
  placed: readonly PlacedWish[],
  ports: EnginePorts,
  options: SettleOptions,
): Promise<readonly SettledEvidence[]> {
  await using lease = await ports.lock.acquire(location, LOCK_WAIT_MS, options.signal);
  const target = ports.registries.target(location.registry);
  const context = { target, lease, ownPushes: ports.ownPushes };
  let written: readonly Decision[] | undefined;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    options.signal?.throwIfAborted();
    const survey = await surveyLocation(location, placed, ports, lease.signal);
    const decisions = written ? repeat(written, survey) : decide(survey, options);
    if (isIdle(decisions)) {
      if (decisions.some(({ unconfirmed }) => unconfirmed)) {
        await confirm(location, survey.written, layersOf(decisions), ports, lease);
      }
      return (written ?? decisions).map((decision) => settled(decision));
    }
    const edit = await editOf(decisions, options);
    const record = recordAfter(survey.written, edit, decisions, ports.now());
    // The record is one writer's too: who was stopped for longer than the lease must not put back an old one.
    await lease.check();
    await ports.written.replace(location, union(survey.written, record));
    try {
      await writeAttestationTag(context, location, survey.content, edit);
    } catch (error) {
      if (error instanceof AppError && error.code === 'write-conflict') continue;
      throw error;
    }
    written = await confirmed(written ?? decisions, options);
    const wanted = [...edit.relist, ...edit.add.map(attestationLayer)];
    await confirm(location, record, new Set(wanted.map(({ digest }) => digest)), ports, lease);
    if ((await missingAfterWrite(target, location, wanted, lease.signal)).length === 0) {
      return written.map((decision) => settled(decision));
    }
  }
  throw new AppError('write-conflict', `other writers keep overwriting ${where(location)}`);
}

/** Puts down that these layers were written; others stay as they are. */
async function confirm(
  location: EvidenceLocation,
  record: readonly WrittenEvidence[],
  layers: ReadonlySet<Digest>,
  ports: EnginePorts,
  lease: Lease,
): Promise<void> {
  await lease.check();
  await ports.written.replace(location, withoutPending(record, layers));
}

function layersOf(decisions: readonly Decision[]): ReadonlySet<Digest> {
  return new Set(decisions.flatMap(({ layer }) => (layer === undefined ? [] : [layer])));
}

const STATES = { keep: 'present', relist: 'restored', refuse: 'refused' } as const;

function settled({ survey, action, superseded, layer, unconfirmed }: Decision): SettledEvidence {
  const { wish, location } = survey.placed;
  return {
    type: wish.type,
    predicateType: wish.predicateType,
    location: where(location),
    subject: location.digest,
    ...(layer === undefined ? {} : { digest: layer }),
    state: action === 'make' || unconfirmed ? (superseded.length > 0 ? 'replaced' : 'created') : STATES[action],
  };
}

function where(location: EvidenceLocation): string {
  return `${formatRepositoryRef(location)}:${attestationTag(location)}`;
}
