import { readSignedPiece } from '#engine/signed-piece.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import { sha256Hex } from '#model/digest.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { canPublishAgain, type SignedBefore } from '#signing/publish-again.ts';
import type { FixedSigner } from '#signing/signer.ts';

/**
 * What a wish's signer once signed, when it can be published in another layout; undefined when only a new signature
 * helps. An image signature is over other bytes in each layout.
 */
export function signedBefore(
  raw: RawEvidence,
  { wish }: PlacedWish,
): { readonly signer: FixedSigner; readonly before: SignedBefore } | undefined {
  const { signer } = wish.identity;
  const piece = readSignedPiece(raw);
  const [signature, ...more] = piece?.signatures ?? [];
  if (!piece || !signature || more.length > 0 || wish.type === 'signature') return undefined;
  const before = {
    payload: piece.payload,
    signature,
    ...(raw.layout === 'cosign-tag' && raw.bytes ? { envelope: raw.bytes } : {}),
    ...(piece.certificate ? { certificate: sha256Hex(piece.certificate.raw) } : {}),
  };
  return canPublishAgain(signer, before) ? { signer, before } : undefined;
}
