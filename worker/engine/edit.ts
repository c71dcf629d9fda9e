import type { Decision, SettleOptions } from '#engine/decision.ts';
import { bundleId, layerId, type PieceId, type Place, pieceId } from '#engine/places.ts';
import type { SlotSurvey } from '#engine/survey.ts';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import type { SignedImage } from '#model/signed-image.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import { attestationLayer } from '#storage/attestation-manifest.ts';
import type { AttestationEdit } from '#storage/attestation-tag-writer.ts';
import { type BundleLayer, bundleLayer, bundleManifest } from '#storage/bundle-manifest.ts';
import type { BundleEdit } from '#storage/bundle-writer.ts';
import { signatureLayer } from '#storage/signature-layer.ts';
import type { SignatureEdit } from '#storage/signature-tag-writer.ts';

/** A piece that is written for a slot. */
export interface WrittenPiece {
  readonly slot: SlotSurvey;
  readonly id: PieceId;
  /** The layer as records keep it. */
  readonly layer: Descriptor;
  /** Of a bundle. */
  readonly manifest?: Digest;
  /** What was signed; absent for what is listed again. */
  readonly signed?: { readonly payloadDigest: Digest; readonly fingerprint: string };
}

/** All that one run writes to a location. */
export interface Edit {
  readonly attestations: AttestationEdit;
  readonly signatures: SignatureEdit;
  readonly bundles: BundleEdit;
  readonly pieces: readonly WrittenPiece[];
  /** Blobs of new pieces. */
  readonly blobs: readonly { readonly bytes: Uint8Array; readonly mediaType: string }[];
}

interface Growing {
  readonly statements: SignedStatement[];
  readonly images: SignedImage[];
  readonly bundles: BundleLayer[];
  readonly relist: Record<Place, Descriptor[]>;
  readonly drop: Record<Place, Descriptor[]>;
  readonly pieces: WrittenPiece[];
}

/**
 * What decisions come to. Statements are made here unless they were before.
 * @param created the time that new referrers carry: the same for every try, so that each try writes the same bytes.
 */
export async function editOf(
  decisions: readonly Decision[],
  subject: Descriptor,
  created: Date,
  options: SettleOptions,
): Promise<Edit> {
  const grown: Growing = {
    statements: [],
    images: [],
    bundles: [],
    relist: { attestations: [], signatures: [], bundles: [] },
    drop: { attestations: [], signatures: [], bundles: [] },
    pieces: [],
  };
  for (const decision of decisions) {
    const { action, slot, superseded } = decision;
    if (action === 'keep' || action === 'refuse') continue;
    if (action === 'relist') relist(slot, grown);
    else await add(decision, subject, created, options, grown);
    // The same layer may come again with other things beside it: dropped here, it is listed anew.
    grown.drop[slot.place].push(...superseded.map(({ descriptor }) => descriptor));
  }
  const { statements, images, bundles, pieces } = grown;
  return {
    attestations: {
      add: statements,
      relist: grown.relist.attestations,
      drop: new Set(grown.drop.attestations.map(({ digest }) => digest)),
    },
    signatures: { add: images, relist: grown.relist.signatures, drop: grown.drop.signatures },
    bundles: { subject, add: bundles, relist: grown.relist.bundles },
    pieces,
    blobs: [
      ...statements.map((statement) => ({
        bytes: statement.envelope,
        mediaType: attestationLayer(statement).mediaType,
      })),
      ...images.map((image) => ({ bytes: image.payload, mediaType: signatureLayer(image).mediaType })),
      ...bundles.map(({ bytes, descriptor }) => ({ bytes, mediaType: descriptor.mediaType })),
    ],
  };
}

function relist(slot: SlotSurvey, { relist, pieces }: Growing): void {
  if (!slot.lost) return;
  const { raw, entry } = slot.lost;
  relist[slot.place].push(entry.descriptor);
  const manifest = slot.place === 'bundles' ? { manifest: raw.manifestDigest } : {};
  pieces.push({ slot, id: pieceId(raw), layer: entry.descriptor, ...manifest });
}

async function add(
  { slot, action, source }: Decision,
  subject: Descriptor,
  created: Date,
  { maker }: SettleOptions,
  grown: Growing,
): Promise<void> {
  const { placed, place, layout } = slot;
  if (place === 'signatures') {
    const image = await maker.signImage(placed);
    const layer = signatureLayer(image);
    grown.images.push(image);
    grown.pieces.push({ slot, id: layerId(place, layer), layer, signed: factsOf(image) });
    return;
  }
  const statement =
    action === 'publish' && source ? await maker.publishAgain(placed, source, layout) : await maker.make(placed);
  if (place === 'attestations') {
    const layer = attestationLayer(statement);
    grown.statements.push(statement);
    grown.pieces.push({ slot, id: layerId(place, layer), layer, signed: factsOf(statement) });
    return;
  }
  const bundle = bundleLayer(statement, created);
  const manifest = bundleManifest(bundle.descriptor, subject).descriptor.digest;
  grown.bundles.push(bundle);
  grown.pieces.push({ slot, id: bundleId(manifest), layer: bundle.descriptor, manifest, signed: factsOf(statement) });
}

function factsOf({ payload, fingerprint }: SignedStatement | SignedImage) {
  return { payloadDigest: sha256(payload), fingerprint };
}
