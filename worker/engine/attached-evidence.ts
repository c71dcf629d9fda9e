import { readSignedPiece } from '#engine/signed-piece.ts';
import { sha256 } from '#model/digest.ts';
import { AppError, ERRORS } from '#model/errors.ts';
import type { Evidence, EvidenceLayout, EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import type { ReadTarget } from '#oci/target.ts';
import { readAttestationTag } from '#storage/attestation-tag-reader.ts';
import { readBundles } from '#storage/bundle-reader.ts';
import type { Attestor } from '#verification/attestor.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';

/** All attestations on one digest, of the layouts that are asked for; nothing is believed yet. */
export async function readAttached(
  source: ReadTarget,
  location: EvidenceLocation,
  layouts: readonly EvidenceLayout[],
  signal?: AbortSignal,
): Promise<readonly RawEvidence[]> {
  const found: RawEvidence[] = [];
  for (const layout of layouts) {
    switch (layout) {
      case 'cosign-tag':
        found.push(...(await readAttestationTag(source, location, signal)).evidence);
        break;
      case 'bundle':
        found.push(...(await readBundles(source, location, signal)).evidence);
    }
  }
  return found;
}

/** A piece that holds under an attestor, with the payload that it signs. */
export interface HeldStatement {
  readonly evidence: Evidence;
  readonly payload: Uint8Array;
}

/**
 * The pieces that hold under an attestor, and why the others do not. Nobody else's statement is used that was not
 * verified first.
 */
export function heldStatements(
  found: readonly RawEvidence[],
  attestor: Attestor,
  now: Date,
): { readonly held: readonly HeldStatement[]; readonly not: readonly { raw: RawEvidence; why: string }[] } {
  const held: HeldStatement[] = [];
  const not: { raw: RawEvidence; why: string }[] = [];
  for (const raw of found) {
    const judged = judge(raw, attestor, now);
    if (typeof judged === 'string') not.push({ raw, why: judged });
    else held.push(judged);
  }
  return { held, not };
}

function judge(raw: RawEvidence, attestor: Attestor, now: Date): HeldStatement | string {
  try {
    const evidence = verifyEvidence(raw, { digest: raw.location.digest, attestor, now });
    if (evidence.held !== true) return evidence.held.message;
    const payload = readSignedPiece(raw)?.payload;
    // The bytes that are signed again are those whose signature was verified, or nothing is.
    if (!payload || sha256(payload) !== evidence.payloadDigest) return 'the payload cannot be read in one way only';
    return { evidence, payload };
  } catch (error) {
    // What trying again could settle is not settled here.
    if (error instanceof AppError && ERRORS[error.code].class === 'permanent') return error.message;
    throw error;
  }
}
