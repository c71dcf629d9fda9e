import type { KeyObject } from 'node:crypto';
import { pae, verifySignature } from '#crypto/dsse.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import { IN_TOTO } from '#model/media-types.ts';
import { UNWITNESSED, type Witnessed } from '#model/witnessed.ts';
import { refuseBeyondLimits } from '#signing/limits.ts';
import type { ConfiguredSigner, SigningCredential } from '#signing/signer.ts';
import type { MadeSignature, SigningPlan, Witness } from '#signing/witness.ts';

export interface SigningOptions {
  /** Where it will be stored: only the witnesses that these can use are asked. */
  readonly layouts: readonly EvidenceLayout[];
  readonly signal?: AbortSignal | undefined;
}

/** What every signature brings beside its bytes, whatever it is over. */
export interface SignatureFacts {
  readonly signature: Uint8Array;
  readonly publicKey: string;
  readonly fingerprint: string;
  readonly certificate?: string;
  readonly chain?: string;
}

/** How one kind of signature is made: what the key signs, and what is stored. */
export interface SignatureForm {
  readonly what: SigningPlan['what'];
  readonly payload: Uint8Array;
  /** Signs, and answers the one signature. */
  sign(credential: SigningCredential, signal: AbortSignal | undefined): Promise<Uint8Array>;
  /** The bytes that are stored. */
  stored(signature: Uint8Array): Uint8Array;
}

/**
 * Signs, checks the own signature, and has it witnessed; nothing leaves before all of it is there. What a witness or a
 * layout would not take is refused before the key is used, and, where the key's kind is known, before it is asked for.
 * @throws AppError `signing-limit`, `key-mismatch`, the errors of keyless signers and of witnesses.
 */
export async function makeSignature(
  configured: ConfiguredSigner,
  form: SignatureForm,
  { layouts, signal }: SigningOptions,
): Promise<SignatureFacts & { readonly stored: Uint8Array; readonly witnessed: Witnessed }> {
  const { what, payload } = form;
  const wanted: ReadonlySet<EvidenceLayout> = new Set(layouts);
  const witnesses = configured.witnesses.filter((witness) => witness.serves({ what, layouts: wanted }));
  const plan = { what, payloadBytes: payload.length, layouts: wanted };
  refuseBeyondLimits(configured, { ...plan, payload }, witnesses);
  const credential = await credentialOf(configured, signal);
  const signature = await form.sign(credential, signal);
  const signed = what === 'statement' ? pae(IN_TOTO, payload) : payload;
  refuseForeignSignature(configured.id, credential.publicKey, signed, signature);
  const stored = form.stored(signature);
  const publicKey = credential.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const [leaf, ...issuers] = credential.chain;
  const made: MadeSignature = {
    what,
    payload,
    signed,
    stored,
    signature,
    publicKey: credential.publicKey,
    layouts: wanted,
    ...(leaf ? { certificate: leaf } : {}),
  };
  return {
    stored,
    signature,
    publicKey,
    fingerprint: configured.fingerprint,
    ...(leaf ? { certificate: leaf.pem, chain: issuers.map(({ pem }) => pem).join('') } : {}),
    witnessed: await askWitnesses(witnesses, made, signal),
  };
}

async function credentialOf(configured: ConfiguredSigner, signal: AbortSignal | undefined): Promise<SigningCredential> {
  switch (configured.kind) {
    case 'fixed':
      return configured;
    case 'keyless':
      return await configured.credential(signal);
  }
}

function refuseForeignSignature(id: string, key: KeyObject, signed: Uint8Array, signature: Uint8Array): void {
  if (verifySignature(key, signed, signature)) return;
  throw new AppError('key-mismatch', `signer ${id}: its own signature does not verify`, {
    mend: 'the key must belong to the certificate or public key that is published with it',
  });
}

/** All at once: a log may take a second. The first that fails stops the others, since nothing will be published. */
export async function askWitnesses(
  witnesses: readonly Witness[],
  made: MadeSignature,
  signal: AbortSignal | undefined,
): Promise<Witnessed> {
  if (witnesses.length === 0) return UNWITNESSED;
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  try {
    const given = await Promise.all(witnesses.map((witness) => witness.testify(made, either)));
    return {
      rekorV1: given.flatMap(({ rekorV1 = [] }) => rekorV1),
      rekorV2: given.flatMap(({ rekorV2 = [] }) => rekorV2),
      signatureTimestamps: given.flatMap(({ signatureTimestamps = [] }) => signatureTimestamps),
      envelopeTimestamps: given.flatMap(({ envelopeTimestamps = [] }) => envelopeTimestamps),
    };
  } finally {
    stop.abort();
  }
}
