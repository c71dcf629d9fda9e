import { parseEnvelope } from '#crypto/dsse.ts';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Evidence, EvidenceLayout, EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import type { ReadTarget } from '#oci/target.ts';
import { readAttestationTag } from '#storage/attestation-tag-reader.ts';
import { readBundles } from '#storage/bundle-reader.ts';
import type { Attestor } from '#verification/attestor.ts';
import { parseStrictJson } from '#verification/strict-json.ts';
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
    const payload = payloadOf(raw);
    // The bytes that are signed again are those whose signature was verified, or nothing is.
    if (!payload || sha256(payload) !== evidence.payloadDigest) return 'the payload cannot be read in one way only';
    return { evidence, payload };
  } catch (error) {
    if (error instanceof AppError && error.code === 'policy-unsupported') return error.message;
    throw error;
  }
}

function payloadOf({ layout, bytes }: RawEvidence): Uint8Array | undefined {
  if (!bytes) return undefined;
  switch (layout) {
    case 'cosign-tag': {
      const parsed = parseEnvelope(bytes);
      return parsed.ok ? parsed.envelope.payload : undefined;
    }
    case 'bundle': {
      const json = parseStrictJson(bytes);
      const text = json.ok ? member(member(json.value, 'dsseEnvelope'), 'payload') : undefined;
      return typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
    }
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
