/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

/** Names of headers, parameters and members whose values may let somebody in. */
const SECRET_NAME =
  /assertion|auth|cookie|credential|jwt|oidc|passw|passphrase|pwd|secret|sess|sign|token|api[-_]?key|private[-_]?key|access[-_]?key|callback_?url/i;

/** Members that carry a proof of who sent the rest and open nothing by themselves: SNS's, by a public key. */
const HARMLESS_MEMBER = /^(?:Signature|SignatureVersion|SigningCertURL|repo_authentication_type)$/;

const SCHEMES = /^(?:Basic|Bearer|Digest|AWS4-HMAC-SHA256)(?= )/i;

/** A member of JSON whose value is a text, up to where that begins. */
const MEMBER = /"([^"\\]{1,80})"\s{0,20}:\s{0,20}"/g;

/** The same in JSON that is itself a text of JSON, as in messages of topics and queues. */
const NESTED_MEMBER = /(\\{1,15}")([^"\\]{1,80})\1(\s{0,20}:\s{0,20})\1([^"\\]*)/g;

/** Parameters of addresses and of forms; Go writes the ampersand in JSON by its number. */
const PARAMETER = /([?&]|\\u0026|^)([A-Za-z0-9_.-]{1,80})=([^&"\s\\]{1,8192})/g;

/** `https://user:password@host` */
const USER_INFO = /(:\/\/)[^/\s"@\\]{1,512}@/g;

/**
 * A body without what is secret in it: texts of members and parameters with such names, and the given values wherever
 * they stand. Works on any text, whole JSON or cut: what it was cut from is not known. Each character is looked at a
 * bounded number of times.
 */
export function redactText(text: string, values: readonly string[]): string {
  const named = withoutMembers(text)
    .replace(NESTED_MEMBER, (all, quote: string, name: string, colon: string, value: string) =>
      isSecretMember(name) && value !== '' ? `${quote}${name}${quote}${colon}${quote}${REDACTED}` : all,
    )
    .replace(PARAMETER, (all, before: string, name: string) =>
      SECRET_NAME.test(name) ? `${before}${name}=${REDACTED}` : all,
    )
    .replace(USER_INFO, `$1${REDACTED}@`);
  return withoutValues(named, values);
}

/**
 * Headers by name; the scheme of a credential is left, since a wrong one is what people look for.
 * @param proofs names of those that a source's credential is shown in: a wrong value may be right at another source.
 */
export function redactHeaders(
  headers: Readonly<Record<string, string>>,
  values: readonly string[],
  proofs: readonly string[] = [],
): Readonly<Record<string, string>> {
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => {
    if (!SECRET_NAME.test(name) && !proofs.includes(name)) return [name, redactText(value, values)];
    const scheme = SCHEMES.exec(value)?.[0];
    return [name, value === '' ? '' : scheme === undefined ? REDACTED : `${scheme} ${REDACTED}`];
  });
  return Object.fromEntries(pairs);
}

/** No sender says anything in its parameters but who it is. */
export function redactQuery(query: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(query).map((name) => [name, REDACTED]));
}

/** By hand: a pattern for whole texts with escapes in them would need a stack as deep as they are long. */
function withoutMembers(text: string): string {
  const pattern = new RegExp(MEMBER);
  let done = '';
  let at = 0;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const begin = pattern.lastIndex;
    const end = endOfText(text, begin);
    pattern.lastIndex = end + 1;
    if (end === begin || !isSecretMember(found[1] ?? '')) continue;
    done += text.slice(at, begin) + REDACTED;
    at = end;
  }
  return done + text.slice(at);
}

/** Index of the quote that closes a text of JSON, or of the end where it was cut. */
function endOfText(text: string, begin: number): number {
  const stop = /["\\]/g;
  stop.lastIndex = begin;
  for (let found = stop.exec(text); found !== null; found = stop.exec(text)) {
    if (found[0] === '"') return found.index;
    stop.lastIndex = found.index + 2;
  }
  return text.length;
}

function isSecretMember(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS_MEMBER.test(name);
}

/** Shorter values are found in everything, and would be told by their absence. */
const SHORTEST_VALUE = 4;

function withoutValues(text: string, values: readonly string[]): string {
  return values
    .filter((value) => value.length >= SHORTEST_VALUE)
    .flatMap((value) => [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])
    .reduce((left, value) => left.replaceAll(value, REDACTED), text);
}
