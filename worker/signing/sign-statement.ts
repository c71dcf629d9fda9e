import { AppError } from '#model/errors.ts';
import { IN_TOTO } from '#model/media-types.ts';
import { makeSignature, type SigningOptions } from '#signing/made-signature.ts';
import type { ConfiguredSigner, SignedStatement, SigningCredential } from '#signing/signer.ts';

/**
 * Signs one in-toto statement into a DSSE envelope that every reader takes: standard padded base64, one signature,
 * empty keyid, no other member (interop A.1.3, K.1). Our own signature is verified before it leaves, and so is what the
 * signer's witnesses gave.
 * @throws AppError `key-mismatch` when the key does not belong to what is published beside it; `signing-limit`; the
 * errors of keyless signers (`identity-…`, `ca-…`) and of witnesses (`witness-…`).
 */
export async function signStatement(
  configured: ConfiguredSigner,
  payload: Uint8Array,
  predicateType: string,
  options: SigningOptions,
): Promise<SignedStatement> {
  const { stored, ...facts } = await makeSignature(
    configured,
    {
      what: 'statement',
      payload,
      sign: (credential, signal) => signEnvelope(credential, payload, signal),
      stored: (signature) => envelopeBytes(payload, signature),
    },
    options,
  );
  return { ...facts, envelope: stored, payload, predicateType };
}

async function signEnvelope(
  { signer }: SigningCredential,
  payload: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  // Loading costs about 150 ms, most of it for HTTP clients, so only a process that signs pays it.
  const { DSSEBundleBuilder } = await import('@sigstore/sign');
  const builder = new DSSEBundleBuilder({ signer: { sign: (data) => signer.sign(data, signal) }, witnesses: [] });
  const bundle = await builder.create({ data: Buffer.from(payload), type: IN_TOTO });
  if (bundle.content.$case !== 'dsseEnvelope') throw new AppError('internal', 'the bundle holds no envelope');
  const [signed, ...more] = bundle.content.dsseEnvelope.signatures;
  if (!signed || more.length > 0) throw new AppError('internal', 'the envelope does not hold exactly one signature');
  return signed.sig;
}

/** The members in the order in which cosign writes them. */
export function envelopeBytes(payload: Uint8Array, signature: Uint8Array): Buffer {
  const envelope = {
    payloadType: IN_TOTO,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: '', sig: Buffer.from(signature).toString('base64') }],
  };
  return Buffer.from(JSON.stringify(envelope));
}
