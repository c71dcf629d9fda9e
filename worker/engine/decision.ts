import type { LocationSurvey, WishSurvey } from '#engine/survey.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import type { WrittenEvidence } from '#model/evidence.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import { attestationLayer } from '#storage/attestation-manifest.ts';

export interface SettleOptions {
  /** Whether something new may be signed. */
  readonly maySign: boolean;
  /** Whether what we had signed here before may be listed again, or signed again when it is gone. */
  readonly mayRestore: boolean;
  /** Make anew what is there; replaces our own only. */
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Makes and signs the statement of a wish; memoised by the caller. */
  make(placed: PlacedWish): Promise<SignedStatement>;
}

/** What is to be done for one wish, and why that layer. */
export interface Decision {
  readonly survey: WishSurvey;
  readonly action: 'keep' | 'relist' | 'make' | 'refuse';
  /** Layers of ours that what is written supersedes. */
  readonly superseded: readonly Digest[];
  /** The layer that stands for the wish, once known. */
  readonly layer?: Digest;
  /** The layer was put down by a run that did not live to see its PUT stand. */
  readonly unconfirmed?: true;
}

/** From what a location holds to what must be done there. */
export function decide(survey: LocationSurvey, options: SettleOptions): readonly Decision[] {
  const pending = new Set(survey.written.filter((entry) => entry.pending).map(({ descriptor }) => descriptor.digest));
  const standsFor = (layer: Digest) => ({ layer, ...(pending.has(layer) ? { unconfirmed: true as const } : {}) });
  return survey.wishes.map((wish): Decision => {
    const { held, own, lost } = wish;
    const makeable = wish.placed.wish.ready === undefined || wish.placed.wish.ready.payload !== undefined;
    if (options.force && options.maySign && makeable) return { survey: wish, action: 'make', superseded: own };
    const [recorded] = lost;
    if (recorded && (options.maySign || options.mayRestore)) {
      return { survey: wish, action: 'relist', superseded: own, ...standsFor(recorded.descriptor.digest) };
    }
    const [standing] = held;
    if (standing) return { survey: wish, action: 'keep', superseded: [], ...standsFor(standing) };
    const restoring = options.mayRestore && (wish.gone.length > 0 || own.length > 0);
    if (makeable && (options.maySign || restoring)) return { survey: wish, action: 'make', superseded: own };
    return { survey: wish, action: 'refuse', superseded: [] };
  });
}

/** After a first write: what of it another writer has destroyed meanwhile is written again, and nothing else. */
export function repeat(written: readonly Decision[], survey: LocationSurvey): readonly Decision[] {
  const listed = new Set(survey.content.layers.map((layer) => layer.digest));
  return written.map((decision) =>
    decision.layer === undefined || listed.has(decision.layer) ? { ...decision, action: 'keep' } : decision,
  );
}

export function isIdle(decisions: readonly Decision[]): boolean {
  return decisions.every(({ action }) => action === 'keep' || action === 'refuse');
}

/** One manifest PUT. */
export interface Edit {
  readonly add: readonly SignedStatement[];
  readonly relist: readonly Descriptor[];
  readonly drop: ReadonlySet<Digest>;
}

export async function editOf(decisions: readonly Decision[], options: SettleOptions): Promise<Edit> {
  const add: SignedStatement[] = [];
  const relist: Descriptor[] = [];
  const drop = new Set<Digest>();
  for (const { action, survey, superseded } of decisions) {
    if (action === 'relist') relist.push(...survey.lost.map((entry) => entry.descriptor));
    else if (action === 'make') add.push(await options.make(survey.placed));
    else continue;
    // The same envelope may come again with another certificate beside it: dropped here, it is listed anew.
    for (const digest of superseded) drop.add(digest);
  }
  return { add, relist, drop };
}

/** The decisions with the layers that now stand for them. */
export async function confirmed(decisions: readonly Decision[], options: SettleOptions): Promise<readonly Decision[]> {
  return Promise.all(
    decisions.map(async (decision) => {
      if (decision.action !== 'make') return decision;
      return { ...decision, layer: sha256((await options.make(decision.survey.placed)).envelope) };
    }),
  );
}

/** The record of what we are about to write: what the edit leaves of it, and what it adds. */
export function recordAfter(
  before: readonly WrittenEvidence[],
  edit: Edit,
  decisions: readonly Decision[],
  now: Date,
): readonly WrittenEvidence[] {
  const relisted = new Set(edit.relist.map(({ digest }) => digest));
  const forgotten = new Set([
    ...edit.drop,
    ...decisions.flatMap(({ action, survey }) =>
      action === 'make' ? [...survey.gone, ...survey.lost].map((entry) => entry.descriptor.digest) : [],
    ),
  ]);
  const rules = new Map(decisions.map(({ survey }) => [survey.placed.wish.predicateType, survey.placed.wish.rule]));
  const added = edit.add.map(
    (statement): WrittenEvidence => ({
      descriptor: attestationLayer(statement),
      payloadDigest: sha256(statement.payload),
      predicateType: statement.predicateType,
      signer: statement.fingerprint,
      rule: rules.get(statement.predicateType) ?? '',
      writtenAt: now.toISOString(),
      pending: true,
    }),
  );
  return union(
    before.filter(({ descriptor: { digest } }) => relisted.has(digest) || !forgotten.has(digest)),
    added,
  );
}

/** The record once these layers are known to be listed. */
export function withoutPending(
  record: readonly WrittenEvidence[],
  listed: ReadonlySet<Digest>,
): readonly WrittenEvidence[] {
  return record.map(({ pending, ...entry }) =>
    pending && !listed.has(entry.descriptor.digest) ? { ...entry, pending } : entry,
  );
}

/** Both records, each layer once; the second is the newer one. */
export function union(
  first: readonly WrittenEvidence[],
  second: readonly WrittenEvidence[],
): readonly WrittenEvidence[] {
  const newer = new Set(second.map((entry) => entry.descriptor.digest));
  return [...first.filter((entry) => !newer.has(entry.descriptor.digest)), ...second];
}
