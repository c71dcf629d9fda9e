import type { EnginePorts } from '#engine/engine-ports.ts';
import { judgedEvidence } from '#engine/judged-evidence.ts';
import { recordedPlace } from '#engine/places.ts';
import { readSignedPiece } from '#engine/signed-piece.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import { bringsTestimonies, testifiedAttestor } from '#engine/testified.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { RawEvidence, WrittenEvidence } from '#model/evidence.ts';
import type { KeylessSigner } from '#signing/signer.ts';
import { readBlob } from '#storage/read-blob.ts';
import type { Attestor } from '#verification/attestor.ts';
import { readStatement } from '#verification/statement.ts';
import { isUndecided } from '#verification/undecided.ts';

/** A recorded layer is fetched to be judged before it is listed again. */
const MAX_RECORDED_BYTES = 128 * 1024 * 1024;

/** What a registry says of a blob that it does not hold as it should. */
const UNUSABLE: readonly string[] = ['not-found', 'digest-mismatch', 'layer-corrupt', 'too-large'];

/**
 * The pieces that hold under the wish's trust.
 * @throws AppError, see `isUndecided`, when none does and one could not be judged: it might be what is missing.
 */
export function heldUnderTrust(
  evidence: readonly RawEvidence[],
  placed: PlacedWish,
  now: Date,
): readonly RawEvidence[] {
  let undecided: AppError | undefined;
  const held = evidence.filter((raw) => {
    try {
      return holds(raw, placed, placed.wish.attestor, now) !== undefined;
    } catch (error) {
      if (!isUndecided(error)) throw error;
      undecided ??= error;
      return false;
    }
  });
  if (held.length === 0 && undecided) throw undecided;
  return held;
}

/** Fingerprint of who signed, when the evidence holds. */
function holds(raw: RawEvidence, { wish, location }: PlacedWish, attestor: Attestor, now: Date): string | undefined {
  const evidence = judgedEvidence(raw, { digest: location.digest, attestor, now });
  if (evidence.held !== true) return undefined;
  const isSigning = wish.type === 'signature' && evidence.signing !== undefined;
  if (!isSigning && evidence.statement?.predicateType !== wish.predicateType) return undefined;
  if (wish.ready && !wish.ready.isSame(evidence)) return undefined;
  return evidence.signer?.fingerprint;
}

/**
 * Our own evidence also stands when its present signer's own chain bears it: a trust that wants more (a log entry,
 * another CA) would get nothing better from signing the same statement again at every look.
 */
export function stands(raw: RawEvidence, placed: PlacedWish, now: Date, isRecorded: boolean): boolean {
  const { signer } = placed.wish.identity;
  if (signer.kind === 'keyless') {
    if (standsKeyless(raw, placed, signer, isRecorded)) return true;
  } else if (holds(raw, placed, signerAttestor(signer), now) === signer.fingerprint) return true;
  return heldUnderTrust([raw], placed, now).length > 0;
}

/**
 * A keyless certificate is over after minutes: what tells that it was used in time must have come along. Of what we
 * wrote, certificate and testimonies were judged when they were made; a bundle does not bring the chain to judge it again.
 */
function standsKeyless(raw: RawEvidence, placed: PlacedWish, signer: KeylessSigner, isRecorded: boolean): boolean {
  const piece = readSignedPiece(raw);
  if (!piece?.certificate || !bringsTestimonies(raw, piece, signer)) return false;
  const began = piece.certificate.validFromDate;
  if (!isRecorded) {
    return holds(raw, placed, testifiedAttestor(raw, signer, placed.wish.attestor), began) !== undefined;
  }
  if (holds(raw, placed, signerAttestor(signer), began) !== undefined) return true;
  const { ready } = placed.wish;
  const statement = ready && readStatement(piece.payload);
  return (
    !ready ||
    ready.isSame({ raw, payloadDigest: sha256(piece.payload), ...(statement ? { statement } : {}), held: true })
  );
}

/** What was recorded and is not listed any more, where the registry still holds it and it would stand. */
export async function recordedPiece(
  entry: WrittenEvidence,
  placed: PlacedWish,
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<RawEvidence | undefined> {
  const { location } = placed;
  const { descriptor } = entry;
  const source = ports.registries.target(location.registry);
  try {
    if (!(await source.hasBlob(location.repository, descriptor.digest, signal))) return undefined;
    const bytes = await readBlob(source, location.repository, descriptor, MAX_RECORDED_BYTES, signal);
    const raw: RawEvidence = {
      location,
      layout: entry.layout ?? 'cosign-tag',
      ...(recordedPlace(entry) === 'signatures' ? { kind: 'image-signature' as const } : {}),
      manifestDigest: entry.manifest ?? descriptor.digest,
      descriptor,
      bytes,
    };
    return stands(raw, placed, ports.now(), true) ? raw : undefined;
  } catch (error) {
    // A blob that the registry cannot give back whole is as good as gone.
    if (error instanceof AppError && UNUSABLE.includes(error.code)) return undefined;
    throw error;
  }
}
