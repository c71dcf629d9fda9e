import type { EnginePorts } from '#engine/engine-ports.ts';
import { isOwn, isRecordOf, type PresentSigners } from '#engine/ownership.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceLocation, RawEvidence, WrittenEvidence } from '#model/evidence.ts';
import { isListedAs } from '#storage/attestation-manifest.ts';
import { type AttestationTagContent, readAttestationTag } from '#storage/attestation-tag-reader.ts';
import { readBlob } from '#storage/read-blob.ts';
import type { Attestor } from '#verification/attestor.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';

/** What a location holds, measured against one wish. */
export interface WishSurvey {
  readonly placed: PlacedWish;
  /** Layers that hold under the wish's trust, whoever signed them, and those of ours that stand. */
  readonly held: readonly Digest[];
  /** Layers of ours for this wish, whether they hold or not. */
  readonly own: readonly Digest[];
  /** What we wrote, is not listed as we wrote it, still is in the registry and would hold: listed again, unsigned. */
  readonly lost: readonly WrittenEvidence[];
  /** What we wrote and is gone for good. */
  readonly gone: readonly WrittenEvidence[];
}

export interface LocationSurvey {
  readonly content: AttestationTagContent;
  readonly written: readonly WrittenEvidence[];
  readonly wishes: readonly WishSurvey[];
}

interface Measured {
  readonly content: AttestationTagContent;
  readonly written: readonly WrittenEvidence[];
  readonly present: PresentSigners;
}

/** A recorded layer is fetched to be judged before it is listed again. */
const MAX_RECORDED_BYTES = 128 * 1024 * 1024;

/** What a registry says of a blob that it does not hold as it should. */
const UNUSABLE: readonly string[] = ['not-found', 'digest-mismatch', 'layer-corrupt', 'too-large'];

/** Reads a location once and measures it against all wishes that concern it. */
export async function surveyLocation(
  location: EvidenceLocation,
  placed: readonly PlacedWish[],
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<LocationSurvey> {
  const source = ports.registries.target(location.registry);
  const content = await readAttestationTag(source, location, signal);
  const written = await ports.written.list(location);
  const present = new Set(placed.map(({ wish }) => wish.identity.signer.fingerprint));
  const wishes: WishSurvey[] = [];
  for (const each of placed) wishes.push(await surveyWish(each, { content, written, present }, ports, signal));
  return { content, written, wishes };
}

async function surveyWish(
  placed: PlacedWish,
  { content, written, present }: Measured,
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<WishSurvey> {
  const now = ports.now();
  const ours = content.evidence.filter((raw) => isOwn(raw, placed.wish, written, present));
  const standing = ours.filter((raw) => isListedAsWritten(raw, written) && stands(raw, placed, now));
  const held = heldUnderTrust(content.evidence, placed, now);
  const lost: WrittenEvidence[] = [];
  const gone: WrittenEvidence[] = [];
  // Own evidence that stands makes older records of the same type history, not loss.
  const candidates = standing.length > 0 ? [] : written.filter((entry) => isRecordOf(entry, placed.wish, present));
  for (const entry of candidates) {
    if (await canBeRelisted(entry, placed, ports, signal)) lost.push(entry);
    else if (!placed.wish.ready || entry.payloadDigest === placed.wish.ready.digest) gone.push(entry);
  }
  return {
    placed,
    held: [...new Set([...held, ...standing].map(layerDigest))],
    own: ours.map(layerDigest),
    lost: lost.slice(-1),
    gone,
  };
}

/**
 * The pieces that hold under the wish's trust.
 * @throws AppError `policy-unsupported` when none does and one could not be judged: it might be what is missing.
 */
function heldUnderTrust(evidence: readonly RawEvidence[], placed: PlacedWish, now: Date): readonly RawEvidence[] {
  let undecided: AppError | undefined;
  const held = evidence.filter((raw) => {
    try {
      return holds(raw, placed, placed.wish.attestor, now) !== undefined;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'policy-unsupported') throw error;
      undecided ??= error;
      return false;
    }
  });
  if (held.length === 0 && undecided) throw undecided;
  return held;
}

/** Fingerprint of who signed, when the evidence holds. */
function holds(raw: RawEvidence, { wish, location }: PlacedWish, attestor: Attestor, now: Date): string | undefined {
  const evidence = verifyEvidence(raw, { digest: location.digest, attestor, now });
  if (evidence.held !== true || evidence.statement?.predicateType !== wish.predicateType) return undefined;
  if (wish.ready && !wish.ready.isSame(evidence)) return undefined;
  return evidence.signer?.fingerprint;
}

/**
 * Our own evidence also stands when its present signer's own chain bears it: a trust that wants more (a log entry,
 * another CA) would get nothing better from signing the same statement again at every look.
 */
function stands(raw: RawEvidence, placed: PlacedWish, now: Date): boolean {
  const { signer } = placed.wish.identity;
  if (holds(raw, placed, signerAttestor(signer), now) === signer.fingerprint) return true;
  return heldUnderTrust([raw], placed, now).length > 0;
}

/** A layer that another writer lists without our annotations is not what we wrote. */
function isListedAsWritten({ descriptor }: RawEvidence, written: readonly WrittenEvidence[]): boolean {
  const recorded = written.find((entry) => entry.descriptor.digest === descriptor.digest);
  return recorded === undefined || isListedAs(descriptor, recorded.descriptor);
}

async function canBeRelisted(
  entry: WrittenEvidence,
  placed: PlacedWish,
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<boolean> {
  const { location } = placed;
  const { descriptor } = entry;
  const source = ports.registries.target(location.registry);
  try {
    if (!(await source.hasBlob(location.repository, descriptor.digest, signal))) return false;
    const bytes = await readBlob(source, location.repository, descriptor, MAX_RECORDED_BYTES, signal);
    const raw = { location, layout: 'cosign-tag', manifestDigest: descriptor.digest, descriptor, bytes } as const;
    return stands(raw, placed, ports.now());
  } catch (error) {
    // A blob that the registry cannot give back whole is as good as gone.
    if (error instanceof AppError && UNUSABLE.includes(error.code)) return false;
    throw error;
  }
}

function layerDigest(raw: RawEvidence): Digest {
  return raw.descriptor.digest;
}
