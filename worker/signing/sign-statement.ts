import { pae, verifySignature } from '#crypto/dsse.ts';
import { AppError } from '#model/errors.ts';
import { IN_TOTO } from '#model/media-types.ts';
import { UNWITNESSED } from '#model/witnessed.ts';
import type { ConfiguredSigner, SignedStatement } from '#signing/signer.ts';

/**
 * Signs one in-toto statement into a DSSE envelope that every reader takes: standard padded base64, one signature,
 * empty keyid, no other member (interop A.1.3, K.1). Our own signature is verified before it leaves.
 * @throws AppError `key-mismatch` when the key does not belong to what is published beside it.
 */
export async function signStatement(
  configured: ConfiguredSigner,
  payload: Uint8Array,
  predicateType: string,
): Promise<SignedStatement> {
  // Loading costs about 150 ms, most of it for HTTP clients, so only a process that signs pays it.
  const { DSSEBundleBuilder } = await import('@sigstore/sign');
  const builder = new DSSEBundleBuilder({ signer: configured.signer, witnesses: [] });
  const bundle = await builder.create({ data: Buffer.from(payload), type: IN_TOTO });
  if (bundle.content.$case !== 'dsseEnvelope') throw new AppError('internal', 'the bundle holds no envelope');
  const [signed, ...more] = bundle.content.dsseEnvelope.signatures;
  if (!signed || more.length > 0) throw new AppError('internal', 'the envelope does not hold exactly one signature');
  if (!verifySignature(configured.publicKey, pae(IN_TOTO, payload), signed.sig)) {
    throw new AppError('key-mismatch', `signer ${configured.id}: its own signature does not verify`, {
      mend: 'the key must belong to the certificate or public key that is published with it',
    });
  }
  const [leaf, ...issuers] = configured.chain;
  return {
    envelope: envelopeBytes(payload, signed.sig),
    payload,
    predicateType,
    signature: signed.sig,
    publicKey: configured.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    witnessed: UNWITNESSED,
    fingerprint: configured.fingerprint,
    ...(leaf ? { certificate: leaf.pem, chain: issuers.map(({ pem }) => pem).join('') } : {}),
  };
}

/** The members in the order in which cosign writes them. */
function envelopeBytes(payload: Uint8Array, signature: Uint8Array): Buffer {
  const envelope = {
    payloadType: IN_TOTO,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: '', sig: Buffer.from(signature).toString('base64') }],
  };
  return Buffer.from(JSON.stringify(envelope));
}
