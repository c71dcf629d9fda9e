import type { Descriptor } from '#model/descriptor.ts';
import { digestHex, sha256 } from '#model/digest.ts';
import {
  BUNDLE_CONTENT,
  BUNDLE_PREDICATE_TYPE,
  CREATED,
  OCI_EMPTY,
  OCI_MANIFEST,
  SIGSTORE_BUNDLE_V03,
  TITLE,
} from '#model/media-types.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import { bundleJson } from '#storage/bundle-json.ts';

/** The config of every artifact that has none (OCI image-spec, guidance for an empty descriptor). */
export const EMPTY_CONFIG: Uint8Array = new TextEncoder().encode('{}');

/** A bundle's layer as records keep it: with the annotations that its manifest carries, so that it can be made again. */
export interface BundleLayer {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/** A signed statement as the one layer of a referrer. The same statement and time give the same bytes. */
export function bundleLayer(statement: SignedStatement, created: Date): BundleLayer {
  const bytes = bundleJson(statement);
  const annotations = {
    [CREATED]: created.toISOString().replace(/\.\d+Z$/, 'Z'),
    [BUNDLE_CONTENT]: 'dsse-envelope',
    [BUNDLE_PREDICATE_TYPE]: statement.predicateType,
  };
  const descriptor = { mediaType: SIGSTORE_BUNDLE_V03, digest: sha256(bytes), size: bytes.byteLength, annotations };
  return { bytes, descriptor };
}

/** A referrer's manifest, ready to be pushed by its digest. */
export interface BundleManifest {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/**
 * The manifest that attaches a bundle to its subject, as cosign writes it (interop A.3.1).
 * @param layer as `bundleLayer` gave it: its annotations are the manifest's.
 */
export function bundleManifest(layer: Descriptor, subject: Descriptor): BundleManifest {
  const { annotations } = layer;
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: SIGSTORE_BUNDLE_V03,
    config: {
      mediaType: OCI_EMPTY,
      size: EMPTY_CONFIG.byteLength,
      digest: sha256(EMPTY_CONFIG),
      artifactType: SIGSTORE_BUNDLE_V03,
    },
    layers: [
      { mediaType: layer.mediaType, size: layer.size, digest: layer.digest, annotations: { [TITLE]: fileName(layer) } },
    ],
    subject: { mediaType: subject.mediaType, size: subject.size, digest: subject.digest },
    ...(annotations ? { annotations } : {}),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  return {
    bytes,
    descriptor: {
      mediaType: OCI_MANIFEST,
      digest: sha256(bytes),
      size: bytes.byteLength,
      artifactType: SIGSTORE_BUNDLE_V03,
      ...(annotations ? { annotations } : {}),
    },
  };
}

/** Several bundles may be pulled into one folder. */
function fileName({ digest }: Descriptor): string {
  return `${digestHex(digest).slice(0, 12)}.sigstore.json`;
}
