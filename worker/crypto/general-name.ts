import type { GeneralName, NameConstraints } from '#crypto/certificate.ts';
import { contextTag, type DerElement, derReader, malformed, TAG } from '#crypto/der.ts';

const EMAIL = contextTag(1, 'primitive');
const DNS = contextTag(2, 'primitive');
const URI = contextTag(6, 'primitive');
const IP = contextTag(7, 'primitive');
const ASCII = /^\p{ASCII}*$/u;
/** RFC 3986 as far as an authority goes; what stands in it is judged by `isDomain`. */
const URI_AUTHORITY = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/;

/** subjectAlternativeName (RFC 5280, 4.2.1.6); every name in its order. */
export function readAlternativeNames(value: Uint8Array): readonly GeneralName[] {
  const outer = derReader(value, 'subjectAlternativeName');
  const names = outer.enter(TAG.sequence);
  outer.end();
  const list: GeneralName[] = [];
  while (names.peek() !== undefined) {
    const name = readName(names.any(), 'subjectAlternativeName');
    if (name.type === 'ip' && name.value.length !== 8 && name.value.length !== 32) {
      throw malformed('subjectAlternativeName', 'an IP address that is neither 4 nor 16 bytes long');
    }
    if (name.type === 'uri') assertUri(name.value);
    list.push(name);
  }
  return list;
}

/** nameConstraints (RFC 5280, 4.2.1.10). Forms that cannot be applied are listed as `other`. */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const outer = derReader(value, 'nameConstraints');
  const constraints = outer.enter(TAG.sequence);
  outer.end();
  const permitted = readSubtrees(constraints.optional(contextTag(0, 'constructed')));
  const excluded = readSubtrees(constraints.optional(contextTag(1, 'constructed')));
  constraints.end();
  if (permitted.length + excluded.length === 0) throw malformed('nameConstraints', 'no constraint at all');
  return { permitted, excluded };
}

function readSubtrees(element: DerElement | undefined): readonly GeneralName[] {
  if (!element) return [];
  const subtrees = derReader(element.content, 'nameConstraints');
  const list: GeneralName[] = [];
  while (subtrees.peek() !== undefined) {
    const name = readName(subtrees.enter(TAG.sequence).any(), 'nameConstraints');
    if (name.type === 'ip' && name.value.length !== 16 && name.value.length !== 64) {
      throw malformed('nameConstraints', 'an IP range that is neither 8 nor 32 bytes long');
    }
    const domain = name.type === 'email' ? name.value.slice(name.value.lastIndexOf('@') + 1) : name.value;
    if (name.type !== 'ip' && name.type !== 'other' && !isDomain(domain.replace(/^\./, ''))) {
      throw malformed('nameConstraints', `a ${name.type} constraint that is no domain`);
    }
    list.push(name);
  }
  return list;
}

function readName(element: DerElement, what: string): GeneralName {
  switch (element.tag) {
    case EMAIL:
      return { type: 'email', value: ascii(element, what) };
    case DNS:
      return { type: 'dns', value: ascii(element, what) };
    case URI:
      return { type: 'uri', value: ascii(element, what) };
    case IP:
      return { type: 'ip', value: element.content.toString('hex') };
    default:
      return { type: 'other', value: element.content.toString('hex') };
  }
}

function ascii({ content }: DerElement, what: string): string {
  const text = content.toString('latin1');
  if (!ASCII.test(text)) throw malformed(what, 'a name with characters outside ASCII');
  return text;
}

function assertUri(text: string): void {
  const host = uriAuthority(text);
  if (/[\p{Cc} ]/u.test(text)) throw malformed('subjectAlternativeName', 'a URI with spaces or control characters');
  if (host !== '' && !isDomain(host)) throw malformed('subjectAlternativeName', 'a URI whose host is no domain');
}

/** Host and port of a URI; empty when it has none. */
export function uriAuthority(text: string): string {
  return URI_AUTHORITY.exec(text)?.[1] ?? '';
}

/** Non-empty labels of visible ASCII, no dot at the end: as loose as Go reads it. The empty text counts. */
export function isDomain(text: string): boolean {
  return text === '' || /^[\x21-\x2d\x2f-\x7e]+(?:\.[\x21-\x2d\x2f-\x7e]+)*$/.test(text);
}
