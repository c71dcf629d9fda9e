import type { Descriptor } from '#model/descriptor.ts';
import { sha256 } from '#model/digest.ts';
import {
  COSIGN_SIGNATURE,
  DSSE_ENVELOPE,
  OCI_CONFIG,
  OCI_MANIFEST,
  PREDICATE_TYPE_ANNOTATION,
} from '#model/media-types.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import { witnessAnnotations } from '#storage/witness-annotations.ts';

/** Go's zero time: what cosign writes where an image would tell when it was created. */
const ZERO_TIME = '0001-01-01T00:00:00Z';

/** The descriptor of a signed statement as a layer of cosign's attestation tag. */
export function attestationLayer(statement: SignedStatement): Descriptor {
  const { certificate, chain, witnessed } = statement;
  const annotations = {
    // Empty for attestations, but the readers refuse a layer without the key.
    [COSIGN_SIGNATURE]: '',
    [PREDICATE_TYPE_ANNOTATION]: statement.predicateType,
    ...witnessAnnotations({
      certificate,
      chain,
      logEntries: witnessed.rekorV1,
      timestamps: witnessed.envelopeTimestamps,
    }),
  };
  return {
    mediaType: DSSE_ENVELOPE,
    digest: sha256(statement.envelope),
    size: statement.envelope.byteLength,
    annotations,
  };
}

/** Whether a manifest lists a layer with all that was written beside it; what somebody added is no harm. */
export function isListedAs(found: Descriptor, written: Descriptor): boolean {
  if (found.digest !== written.digest) return false;
  return Object.entries(written.annotations ?? {}).every(([name, value]) => found.annotations?.[name] === value);
}

/**
 * The config blob of one of cosign's tags: a real image config whose `diff_ids` are the layers, since tools based on
 * go-containerregistry iterate both.
 */
export function tagConfig(layers: readonly Descriptor[]): Uint8Array {
  return encode({
    architecture: '',
    created: ZERO_TIME,
    history: layers.map(() => ({ created: ZERO_TIME })),
    os: '',
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    config: {},
  });
}

/** The manifest of one of cosign's tags; the same layers give the same bytes. */
export function tagManifestBytes(layers: readonly Descriptor[], config: Uint8Array): Uint8Array {
  return encode({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, size: config.byteLength, digest: sha256(config) },
    layers: layers.map(({ mediaType, size, digest, annotations }) => ({
      mediaType,
      size,
      digest,
      ...(annotations ? { annotations } : {}),
    })),
  });
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
