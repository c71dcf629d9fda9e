import { hidingReason } from '#engine/hiding.ts';
import { type PieceId, pieceId, recordedId } from '#engine/places.ts';
import { signedBefore } from '#engine/signed-before.ts';
import type { StatementMaker } from '#engine/statement-maker.ts';
import type { LocationSurvey, SlotSurvey } from '#engine/survey.ts';
import type { Digest } from '#model/digest.ts';
import type { RawEvidence, SignedFor, WrittenEvidence } from '#model/evidence.ts';

export interface SettleOptions {
  /** Whether something new may be signed. */
  readonly maySign: boolean;
  /** Whether what we had signed here before may be listed again. */
  readonly mayRestore: boolean;
  /**
   * Whether it may also be signed again where it is gone or over; absent: it may not.
   * @param before absent: nothing is recorded of it
   */
  readonly mayRenew?: ((before: WrittenEvidence | undefined) => boolean) | undefined;
  /** The push that something new is signed for; absent: what is signed again keeps the one before. */
  readonly signedFor?: SignedFor | undefined;
  /** Make anew what is there; replaces our own only. */
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Makes and signs what wishes want, each once. */
  readonly maker: Pick<StatementMaker, 'make' | 'signImage' | 'publishAgain'>;
}

/** What is to be done for one slot, and why that piece. */
export interface Decision {
  readonly slot: SlotSurvey;
  /** `publish`: what stands in the other layout is published in this one too; nothing is signed. */
  readonly action: 'keep' | 'relist' | 'publish' | 'make' | 'refuse';
  /** Pieces of ours that what is written supersedes. */
  readonly superseded: readonly RawEvidence[];
  /** The piece that stands for the slot, once known. */
  readonly piece?: StandingPiece;
  /** What is published again. */
  readonly source?: RawEvidence;
  /** The push that what is written was signed for. */
  readonly signedFor?: SignedFor;
  /** The piece was put down by a run that did not live to see its PUT stand. */
  readonly unconfirmed?: true;
  /** Why it is refused, where that is not the rule's `when`. */
  readonly hiding?: string;
  /** What the bundle hides from verifiers that prefer bundles, where the rule lets it. */
  readonly hides?: readonly RawEvidence[];
}

export interface StandingPiece {
  readonly id: PieceId;
  /** Digest of the layer. */
  readonly digest: Digest;
}

/** From what a location holds to what must be done there. */
export function decide(survey: LocationSurvey, options: SettleOptions): readonly Decision[] {
  const wishes = Map.groupBy(survey.slots, ({ placed }) => placed);
  return [...wishes.values()].flatMap((slots) => {
    const decided = slots.map((slot) => ({ slot, decision: decideAlone(slot, survey, options) }));
    const open = decided.some(({ decision }) => decision === undefined);
    const before = slots.flatMap((slot) => entriesBefore(slot, survey));
    const decisions = open ? fillUp(decided, before, options) : decided.flatMap(({ decision }) => decision ?? []);
    const signedFor = options.signedFor ?? before.find((entry) => entry?.signedFor)?.signedFor;
    return decisions.map((decision) => ({
      ...withHidden(decision, survey),
      ...(signedFor && (decision.action === 'make' || decision.action === 'publish') ? { signedFor } : {}),
    }));
  });
}

/** What is recorded of pieces of ours that are there, were lost, or are gone; undefined of one that is not recorded. */
function entriesBefore(
  { own, lost, gone }: SlotSurvey,
  { written }: LocationSurvey,
): readonly (WrittenEvidence | undefined)[] {
  const recorded = own.map((raw) => written.find((entry) => recordedId(entry) === pieceId(raw)));
  return [...recorded, ...(lost ? [lost.entry] : []), ...gone];
}

/** What a slot alone tells; undefined when its evidence is missing. */
function decideAlone(slot: SlotSurvey, survey: LocationSurvey, options: SettleOptions): Decision | undefined {
  const { held, own, lost } = slot;
  const refused = refusedFirst(slot, survey);
  if (options.force && options.maySign && isMakeable(slot)) return refused ?? make(slot);
  if (lost && (options.maySign || options.mayRestore)) {
    return refused ?? { slot, action: 'relist', superseded: own, ...standsFor(lost.raw, survey) };
  }
  const [standing] = held;
  if (standing) return { slot, action: 'keep', superseded: [], ...standsFor(standing, survey) };
  return refused;
}

/** A bundle that would be the first one, where the rule does not let it hide what stands at cosign's tags. */
function refusedFirst(slot: SlotSurvey, { hidden }: LocationSurvey): Decision | undefined {
  if (slot.place !== 'bundles' || hidden.length === 0 || slot.placed.wish.hiding === 'warn') return undefined;
  return { slot, action: 'refuse', superseded: [], hiding: hidingReason(hidden) };
}

interface Decided {
  readonly slot: SlotSurvey;
  readonly decision: Decision | undefined;
}

/**
 * Completes the layouts of one wish. It is one signature in all of them: what cannot be published again from the layout
 * that has it is made anew in both.
 */
function fillUp(
  decided: readonly Decided[],
  before: readonly (WrittenEvidence | undefined)[],
  options: SettleOptions,
): readonly Decision[] {
  const slots = decided.map(({ slot }) => slot);
  const source = slots
    .flatMap(({ standing, lost }) => [...standing, ...(lost ? [lost.raw] : [])])
    .find((raw) => signedBefore(raw, (slots[0] as SlotSurvey).placed) !== undefined);
  const mayPublish = options.maySign || options.mayRestore;
  if (source && mayPublish) {
    return decided.map(({ slot, decision }) => decision ?? { slot, action: 'publish', superseded: slot.own, source });
  }
  const mayRenew = options.mayRestore && before.some((entry) => options.mayRenew?.(entry));
  const mayMake = slots.every(isMakeable) && (options.maySign || mayRenew);
  return decided.map(({ slot, decision }): Decision => {
    if (!decision) return mayMake ? make(slot) : { slot, action: 'refuse', superseded: [] };
    return mayMake && sharesSignature(decision) ? make(slot) : decision;
  });
}

/** Ours, and so to be replaced together with the layout that is made anew. */
function sharesSignature({ action, slot }: Decision): boolean {
  if (slot.placed.wish.type === 'signature') return false;
  return action === 'relist' || (action === 'keep' && slot.standing.length > 0);
}

function isMakeable({ placed: { wish } }: SlotSurvey): boolean {
  if (wish.promote?.otherwise === 'refuse') return false;
  return wish.ready === undefined || wish.ready.payload !== undefined;
}

function make(slot: SlotSurvey): Decision {
  return { slot, action: 'make', superseded: slot.own };
}

function withHidden(decision: Decision, { hidden }: LocationSurvey): Decision {
  const writes = decision.action !== 'keep' && decision.action !== 'refuse';
  return writes && decision.slot.place === 'bundles' && hidden.length > 0 ? { ...decision, hides: hidden } : decision;
}

function standsFor(raw: RawEvidence, { written }: LocationSurvey): Pick<Decision, 'piece' | 'unconfirmed'> {
  const id = pieceId(raw);
  const pending = written.some((entry) => entry.pending && recordedId(entry) === id);
  return { piece: { id, digest: raw.descriptor.digest }, ...(pending ? { unconfirmed: true as const } : {}) };
}

/** After a first write: what of it another writer has destroyed meanwhile is written again, and nothing else. */
export function repeat(written: readonly Decision[], { listed }: LocationSurvey): readonly Decision[] {
  return written.map((decision) =>
    decision.piece === undefined || listed.has(decision.piece.id) ? { ...decision, action: 'keep' } : decision,
  );
}

export function isIdle(decisions: readonly Decision[]): boolean {
  return decisions.every(({ action }) => action === 'keep' || action === 'refuse');
}
