import { carryManifest } from '#copy/carry-manifest.ts';
import { carryTag } from '#copy/carry-tag.ts';
import type { CopyPorts } from '#copy/copy-ports.ts';
import type { Pair } from '#copy/place.ts';
import { createBlobCarrier } from '#copy/transfer.ts';
import type { EnginePorts } from '#engine/engine-ports.ts';
import { evidenceAt, type PieceId, type Place, pieceId, placeName, readPlaces } from '#engine/places.ts';
import { type PromotionSource, promotionSources } from '#engine/promotion-sources.ts';
import { knowingRevocation } from '#engine/revocation.ts';
import type { SettledEvidence } from '#engine/settled-evidence.ts';
import { heldUnderTrust } from '#engine/standing.ts';
import { type SlotSurvey, surveyLocation } from '#engine/survey.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import type { Digest } from '#model/digest.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import { attestationTag, type EvidenceLocation, type RawEvidence, signatureTag } from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import { parseManifest } from '#oci/manifest.ts';

export interface PromoteOptions {
  /** The image as a whole: what is known of a digest is known of it. */
  readonly image: Digest;
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Repositories in which a digest was seen once and that cannot be read now. */
const PASSED_OVER: readonly ErrorCode[] = [
  'unknown-registry',
  'registry-unauthorized',
  'registry-forbidden',
  'not-found',
];

const AT_ONCE = 4;

/**
 * Copies the evidence that the same image has elsewhere to one location, where its wishes say so and lack it: verified
 * under the trust of each wish before it is copied. What is found nowhere is left to be made.
 * @returns what was copied
 * @throws AppError of the registries; `revocation-unknown` and its like when evidence was found that cannot be judged.
 */
export async function promoteEvidence(
  placed: readonly PlacedWish[],
  ports: EnginePorts,
  { image, force, signal }: PromoteOptions,
): Promise<readonly SettledEvidence[]> {
  const copied: SettledEvidence[] = [];
  const [first] = placed;
  const wanted = placed.filter(({ wish }) => wish.promote !== undefined && !wish.ready);
  if (!first || wanted.length === 0 || force) return copied;
  const { location } = first;
  const survey = await knowingRevocation(ports, () => surveyLocation(location, placed, ports, signal), signal);
  for (const slot of survey.slots) {
    if (!wanted.includes(slot.placed) || slot.held.length > 0) continue;
    // What a first bundle would hide is told by the decision that follows.
    if (slot.place === 'bundles' && survey.hidden.length > 0 && slot.placed.wish.hiding !== 'warn') continue;
    const found = await findHeld(slot, image, ports, signal);
    if (!found) continue;
    await carry(found, location, slot.place, ports, signal);
    copied.push(...found.held.map((raw) => copiedPiece(slot, raw, found.name)));
  }
  return copied;
}

function copiedPiece(
  { placed, layout, place }: SlotSurvey,
  { descriptor }: RawEvidence,
  from: string,
): SettledEvidence {
  const { wish, location } = placed;
  return {
    type: wish.type,
    predicateType: wish.predicateType,
    layout,
    location: placeName(location, place),
    subject: location.digest,
    digest: descriptor.digest,
    state: 'copied',
    from,
  };
}

interface FoundEvidence {
  readonly at: EvidenceLocation;
  readonly name: string;
  readonly held: readonly RawEvidence[];
}

/** The first source whose evidence holds. */
async function findHeld(
  { placed, place }: SlotSurvey,
  image: Digest,
  ports: EnginePorts,
  signal: AbortSignal | undefined,
): Promise<FoundEvidence | undefined> {
  const { wish, location } = placed;
  if (!wish.promote) return undefined;
  for (const source of await promotionSources(wish.promote, image, ports)) {
    const at = { registry: source.registry, repository: source.repository, digest: location.digest };
    const name = formatRepositoryRef(at);
    if (name === formatRepositoryRef(location)) continue;
    const evidence = await readSource(source, at, place, ports, signal);
    const judge = async () => heldUnderTrust(evidence, { ...placed, location: at }, ports.now());
    const held = await knowingRevocation(ports, judge, signal);
    if (held.length > 0) return { at, name, held };
  }
  return undefined;
}

async function readSource(
  { named }: PromotionSource,
  at: EvidenceLocation,
  place: Place,
  ports: EnginePorts,
  signal: AbortSignal | undefined,
): Promise<readonly RawEvidence[]> {
  try {
    const source = ports.registries.target(at.registry);
    return evidenceAt(await readPlaces(source, at, new Set([place]), signal), place);
  } catch (error) {
    if (!named && error instanceof AppError && PASSED_OVER.includes(error.code)) return [];
    throw error;
  }
}

/** Brings pieces over byte for byte: the layers of a tag beside what stands there, bundles with their manifests. */
async function carry(
  { at, held }: FoundEvidence,
  location: EvidenceLocation,
  place: Place,
  ports: EnginePorts,
  signal: AbortSignal | undefined,
): Promise<void> {
  const from = { target: ports.registries.target(at.registry), registry: at.registry, repository: at.repository };
  const { registry, repository } = location;
  const pair: Pair = { from, to: { target: ports.registries.target(registry), registry, repository } };
  const copy = copyPorts(ports);
  if (place === 'bundles') {
    for (const { manifestDigest } of held) {
      const stored = await from.target.manifest(from.repository, manifestDigest, signal);
      const parsed = parseManifest(stored);
      if (parsed.kind !== 'manifest') throw new AppError('manifest-malformed', `${manifestDigest} is no bundle`);
      const blobs = [parsed.config, ...parsed.layers];
      await carryManifest({ pair, stored, blobs, subject: location.digest }, copy, signal);
    }
    return;
  }
  const tag = place === 'signatures' ? signatureTag(location) : attestationTag(location);
  const stored = await from.target.manifest(from.repository, tag, signal);
  const parsed = parseManifest(stored);
  if (parsed.kind !== 'manifest') throw new AppError('media-type-unsupported', `${tag} holds an index`);
  const wanted = new Set<PieceId>(held.map(pieceId));
  const [sample] = held;
  const layers = parsed.layers.filter((descriptor) => sample && wanted.has(pieceId({ ...sample, descriptor })));
  for (const layer of layers) await copy.carrier.bring(pair, layer, signal);
  if (layers.length === parsed.layers.length) await copy.carrier.bring(pair, parsed.config, signal);
  const planned = { pair, tag, about: location.digest, stored, config: parsed.config, layers: parsed.layers };
  const outcome = await carryTag(planned, layers, copy, signal);
  if (outcome === 'conflict') throw new AppError('media-type-unsupported', `${tag} holds something else than evidence`);
}

/** A job is tried again by its queue: nothing is waited for here. */
function copyPorts({ lock, ownPushes }: EnginePorts): CopyPorts {
  const pace = { turn: async () => {}, pause: () => {}, bytes: async () => {} };
  const persist: CopyPorts['persist'] = (_registry, step) => step();
  return { lock, ownPushes, pace, persist, carrier: createBlobCarrier({ pace, persist, concurrency: AT_ONCE }) };
}
