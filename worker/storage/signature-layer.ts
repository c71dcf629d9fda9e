import type { Descriptor } from '#model/descriptor.ts';
import { sha256 } from '#model/digest.ts';
import { COSIGN_SIGNATURE, SIMPLE_SIGNING } from '#model/media-types.ts';
import type { SignedImage } from '#model/signed-image.ts';
import { witnessAnnotations } from '#storage/witness-annotations.ts';

/** The descriptor of an image signature as a layer of cosign's `.sig` tag (interop A.2). */
export function signatureLayer(signed: SignedImage): Descriptor {
  const { payload, signature, certificate, chain, witnessed } = signed;
  const annotations = {
    [COSIGN_SIGNATURE]: Buffer.from(signature).toString('base64'),
    // Here a timestamp covers the signature itself, not what is stored.
    ...witnessAnnotations({
      certificate,
      chain,
      logEntries: witnessed.rekorV1,
      timestamps: witnessed.signatureTimestamps,
    }),
  };
  return { mediaType: SIMPLE_SIGNING, digest: sha256(payload), size: payload.byteLength, annotations };
}
