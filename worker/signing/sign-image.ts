import type { Digest } from '#model/digest.ts';
import { makeSignature, type SigningOptions } from '#signing/made-signature.ts';
import type { ConfiguredSigner, SignedImage } from '#signing/signer.ts';

/** What an image signature in cosign's legacy form says. */
export interface ImageClaim {
  /** `registry/repository` as people name it; readers pass it over. */
  readonly repository: string;
  readonly digest: Digest;
  /** Claims of the signer, which policies may ask for. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Signs an image in cosign's legacy form (interop A.2): a simple signing payload and a signature over its bytes. A bundle
 * holds a statement instead, see `signStatement`.
 * @throws AppError as `signStatement`.
 */
export async function signImage(
  configured: ConfiguredSigner,
  claim: ImageClaim,
  { signal }: Pick<SigningOptions, 'signal'> = {},
): Promise<SignedImage> {
  const payload = simpleSigning(claim);
  const { stored, ...facts } = await makeSignature(
    configured,
    {
      what: 'image-signature',
      payload,
      sign: async ({ signer }) => (await signer.sign(payload, signal)).signature,
      stored: () => payload,
    },
    { layouts: ['cosign-tag'], signal },
  );
  return { ...facts, payload: stored };
}

/** Members in cosign's order; nothing of the time or the run is in it, so that the same claim is the same bytes. */
function simpleSigning({ repository, digest, annotations }: ImageClaim): Buffer {
  const names = Object.keys(annotations ?? {}).sort();
  const payload = {
    critical: {
      identity: { 'docker-reference': repository },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, annotations?.[name]])),
  };
  return Buffer.from(JSON.stringify(payload));
}
