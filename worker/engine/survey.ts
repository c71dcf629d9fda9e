import type { EnginePorts } from '#engine/engine-ports.ts';
import { isOwn } from '#engine/ownership.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import type { Digest } from '#model/digest.ts';
import type { EvidenceLocation, RawEvidence, WrittenEvidence } from '#model/evidence.ts';
import { type AttestationTagContent, readAttestationTag } from '#storage/attestation-tag-reader.ts';
import { readBlob } from '#storage/read-blob.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';

/** What a location holds, measured against one wish. */
export interface WishSurvey {
  readonly placed: PlacedWish;
  /** Layers that hold under the wish's trust, whoever signed them. */
  readonly held: readonly Digest[];
  /** Layers of ours by this signer and of this type, whether they hold or not. */
  readonly own: readonly Digest[];
  /** What we wrote, is listed no more, still is in the registry and would hold: to be listed again, unsigned. */
  readonly lost: readonly WrittenEvidence[];
  /** What we wrote and is gone for good. */
  readonly gone: readonly WrittenEvidence[];
}

export interface LocationSurvey {
  readonly content: AttestationTagContent;
  readonly written: readonly WrittenEvidence[];
  readonly wishes: readonly WishSurvey[];
}

/** A recorded layer is fetched to be judged before it is listed again. */
const MAX_RECORDED_BYTES = 128 * 1024 * 1024;

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
  const wishes: WishSurvey[] = [];
  for (const each of placed) wishes.push(await surveyWish(each, content, written, ports, signal));
  return { content, written, wishes };
}

async function surveyWish(
  placed: PlacedWish,
  content: AttestationTagContent,
  written: readonly WrittenEvidence[],
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<WishSurvey> {
  const held = content.evidence.filter((raw) => holds(raw, placed, ports.now()));
  const own = content.evidence.filter((raw) => isOwn(raw, placed.wish, written));
  const listed = new Set(content.layers.map((layer) => layer.digest));
  const lost: WrittenEvidence[] = [];
  const gone: WrittenEvidence[] = [];
  // Own evidence that stands makes older records of the same type history, not loss.
  const candidates = own.length > 0 ? [] : written.filter((entry) => concerns(entry, placed));
  for (const entry of candidates.filter(({ descriptor }) => !listed.has(descriptor.digest))) {
    ((await canBeRelisted(entry, placed, ports, signal)) ? lost : gone).push(entry);
  }
  return { placed, held: held.map(layerDigest), own: own.map(layerDigest), lost: lost.slice(-1), gone };
}

/** True when the evidence holds under the wish's trust, for this digest and type. */
export function holds(raw: RawEvidence, { wish, location }: PlacedWish, now: Date): boolean {
  const evidence = verifyEvidence(raw, { digest: location.digest, attestor: wish.attestor, now });
  return evidence.held === true && evidence.statement?.predicateType === wish.predicateType;
}

function concerns(entry: WrittenEvidence, { wish }: PlacedWish): boolean {
  return entry.predicateType === wish.predicateType && entry.signer === wish.identity.signer.fingerprint;
}

async function canBeRelisted(
  entry: WrittenEvidence,
  placed: PlacedWish,
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<boolean> {
  const { location } = placed;
  const source = ports.registries.target(location.registry);
  if (!(await source.hasBlob(location.repository, entry.descriptor.digest, signal))) return false;
  const bytes = await readBlob(source, location.repository, entry.descriptor, MAX_RECORDED_BYTES, signal);
  const raw: RawEvidence = {
    location,
    layout: 'cosign-tag',
    manifestDigest: entry.descriptor.digest,
    descriptor: entry.descriptor,
    bytes,
  };
  return holds(raw, placed, ports.now());
}

function layerDigest(raw: RawEvidence): Digest {
  return raw.descriptor.digest;
}
