import type { Certificate, GeneralName } from '#crypto/certificate.ts';
import { contextTag, decodeOid, derReader, TAG } from '#crypto/der.ts';
import { AppError } from '#model/errors.ts';
import type { CertificateClaims } from '#model/evidence.ts';

/** Fulcio's extensions whose value is the bare text; the later ones, from .8 on, wrap it in DER. */
const FULCIO = /^1\.3\.6\.1\.4\.1\.57264\.1\.[1-6]$/;
/** Who vouched for the holder: the bare text of the first form, and the later one in DER. */
const ISSUER = '1.3.6.1.4.1.57264.1.1';
const ISSUER_IN_DER = '1.3.6.1.4.1.57264.1.8';
/** The otherName that Fulcio gives to identities that are neither e-mail nor URI. */
const FULCIO_NAME = '1.3.6.1.4.1.57264.1.7';

/** What a certificate says of its holder, in the order that cosign lists it. */
export function certificateClaims(leaf: Certificate): CertificateClaims {
  const named = (type: GeneralName['type']) => leaf.subjectAlternativeNames.filter((name) => name.type === type);
  const fulcio = named('other').flatMap(({ value }) => fulcioName(Buffer.from(value, 'hex')));
  const holder = named('uri')[0]?.value ?? named('email')[0]?.value ?? fulcio.at(-1);
  return {
    ...(holder === undefined ? {} : { holder }),
    alternativeNames: [
      ...named('dns').map(({ value }) => value),
      ...named('email').map(({ value }) => value),
      ...named('ip').map(({ value }) => address(value)),
      ...named('uri').map(({ value }) => value),
      ...fulcio,
    ],
    extensions: Object.fromEntries(
      leaf.extensions
        .filter(({ oid }) => FULCIO.test(oid))
        .map(({ oid, value }) => [oid, Buffer.from(value).toString('utf8')]),
    ),
    issuer: certificateIssuer(leaf),
  };
}

/** Who vouched for the holder of a certificate of Fulcio's; empty when nobody did. The later form counts first. */
export function certificateIssuer({ extensions }: Certificate): string {
  const value = (wanted: string) => extensions.find(({ oid }) => oid === wanted)?.value;
  const wrapped = value(ISSUER_IN_DER);
  if (wrapped !== undefined) return derText(Buffer.from(wrapped)) ?? '';
  return Buffer.from(value(ISSUER) ?? []).toString('utf8');
}

function derText(content: Buffer): string | undefined {
  try {
    return derReader(content, 'issuer').element(TAG.utf8String).content.toString('utf8');
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function address(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length === 4) return bytes.join('.');
  if (/^0{20}f{4}/.test(hex)) return bytes.subarray(12).join('.');
  const groups = (hex.match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16));
  // RFC 5952: the longest run of zero groups, of two or more, is left out.
  const runs = groups.join(':').match(/\b0(?::0)+\b/g) ?? [];
  const [longest] = runs.toSorted((one, other) => other.length - one.length);
  if (longest === undefined) return groups.join(':');
  const [before = '', after = ''] = splitAt(groups.join(':'), longest);
  return `${before.replace(/:$/, '')}::${after.replace(/^:/, '')}`;
}

function splitAt(text: string, part: string): readonly [string, string] {
  const at = text.search(new RegExp(`\\b${part}\\b`));
  return [text.slice(0, at), text.slice(at + part.length)];
}

/** The text of an otherName of Fulcio's; other names of that form have no meaning here. */
function fulcioName(content: Buffer): readonly string[] {
  try {
    const name = derReader(content, 'otherName');
    if (decodeOid(name.element(TAG.oid).content) !== FULCIO_NAME) return [];
    return [name.enter(contextTag(0, 'constructed')).element(TAG.utf8String).content.toString('utf8')];
  } catch (error) {
    if (error instanceof AppError) return [];
    throw error;
  }
}
