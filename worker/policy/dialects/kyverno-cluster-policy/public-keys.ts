import type { AttestorEntry } from '#policy/dialects/kyverno-cluster-policy/schema.ts';
import { unsupported } from '#policy/unsupported.ts';
import type { Attestor } from '#verification/attestor.ts';

type SignatureHash = NonNullable<Extract<Attestor, { kind: 'public-key' }>['hash']>;

const BEGIN = '-----BEGIN PUBLIC KEY-----';
const END = '-----END PUBLIC KEY-----';
const HASHES: Readonly<Record<string, SignatureHash>> = {
  '': 'sha256',
  sha224: 'sha224',
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512',
};

/** The hash that a `signatureAlgorithm` names; undefined for a name that Kyverno does not know. */
export function hashOf(name: string | null | undefined): SignatureHash | undefined {
  return Object.hasOwn(HASHES, name ?? '') ? HASHES[name ?? ''] : undefined;
}

/** One entry for each key of the text, as Kyverno expands the attestors of a rule. */
export function expandKeys(entry: AttestorEntry): readonly AttestorEntry[] {
  const { keys } = entry;
  const texts = (keys?.publicKeys ?? '').split(END).slice(0, -1);
  if (!keys || texts.length < 2) return [entry];
  return texts.map((text) => ({ ...entry, keys: { ...keys, publicKeys: text + END } }));
}

/**
 * The PEM of the first key that is written out.
 * @throws AppError `policy-unsupported` for a reference to a key.
 */
export function inlineKey({ publicKeys }: NonNullable<AttestorEntry['keys']>): string {
  const text = (publicKeys ?? '').trim();
  if (!text.startsWith(BEGIN)) {
    throw unsupported('a key that is not written out (KMS, secret or reference)', 'write the key into publicKeys');
  }
  const end = text.indexOf(END);
  return end < 0 ? text : text.slice(0, end + END.length);
}
