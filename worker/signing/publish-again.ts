import { pae, verifySignature } from '#crypto/dsse.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import { IN_TOTO } from '#model/media-types.ts';
import { askWitnesses, type SigningOptions } from '#signing/made-signature.ts';
import { envelopeBytes } from '#signing/sign-statement.ts';
import type { ConfiguredSigner, FixedSigner, SignedStatement } from '#signing/signer.ts';

/** A statement that the signer signed once, as it was found in one layout. */
export interface SignedBefore {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** The envelope as it is stored; absent for a bundle, which holds it in parts. */
  readonly envelope?: Uint8Array;
  /** SHA-256 in hex of the certificate that came with it. */
  readonly certificate?: string;
}

/**
 * Whether what was signed once can be published in another layout as it is. A keyless certificate is over, and witnesses
 * would tell of a time when it was: there only a new signature helps.
 */
export function canPublishAgain(signer: ConfiguredSigner, before: SignedBefore): signer is FixedSigner {
  if (signer.kind === 'keyless' || before.certificate !== signer.chain[0]?.fingerprint) return false;
  return verifySignature(signer.publicKey, pae(IN_TOTO, before.payload), before.signature);
}

/**
 * The same signature for another layout. Nothing is signed; the witnesses that the layout can use are asked, since what
 * they gave for one layout is mostly of no use in the other (interop K.1, 3 and 4).
 * @throws AppError the errors of witnesses.
 */
export async function publishAgain(
  signer: FixedSigner,
  predicateType: string,
  before: SignedBefore,
  { layouts, signal }: SigningOptions,
): Promise<SignedStatement> {
  const { payload, signature } = before;
  const envelope = before.envelope ?? envelopeBytes(payload, signature);
  const wanted: ReadonlySet<EvidenceLayout> = new Set(layouts);
  const [leaf, ...issuers] = signer.chain;
  const made = {
    what: 'statement' as const,
    payload,
    signed: pae(IN_TOTO, payload),
    stored: envelope,
    signature,
    publicKey: signer.publicKey,
    layouts: wanted,
    ...(leaf ? { certificate: leaf } : {}),
  };
  const witnesses = signer.witnesses.filter((witness) => witness.serves(made));
  return {
    envelope,
    payload,
    predicateType,
    signature,
    fingerprint: signer.fingerprint,
    publicKey: signer.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ...(leaf ? { certificate: leaf.pem, chain: issuers.map(({ pem }) => pem).join('') } : {}),
    witnessed: await askWitnesses(witnesses, made, signal),
  };
}
