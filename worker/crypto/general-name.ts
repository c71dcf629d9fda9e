import { isIP } from 'node:net';
import type { GeneralName, NameConstraints } from '#crypto/certificate.ts';
import { contextTag, type DerElement, derReader, malformed, TAG } from '#crypto/der.ts';
import { isUri, uriAuthority } from '#crypto/uri.ts';

const EMAIL = contextTag(1, 'primitive');
const DNS = contextTag(2, 'primitive');
const URI = contextTag(6, 'primitive');
const IP = contextTag(7, 'primitive');
const ASCII = /^\p{ASCII}*$/u;

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
    if (name.type === 'ip' && !isMask(name.value.slice(name.value.length / 2))) {
      throw malformed('nameConstraints', 'an IP range whose mask is none');
    }
    if (name.type === 'uri' && isIP(name.value) !== 0) {
      throw malformed('nameConstraints', 'a URI constraint that is an IP address');
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
  if (!isUri(text)) throw malformed('subjectAlternativeName', 'a URI that cannot be read');
  if (!isDomain(uriAuthority(text))) throw malformed('subjectAlternativeName', 'a URI whose host is no domain');
}

/** A run of one bits, then zeros. */
function isMask(hex: string): boolean {
  const bits = [...hex].map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
  return /^1*0*$/.test(bits);
}

/** Non-empty labels of visible ASCII, no dot at the end: as loose as Go reads it. The empty text counts. */
export function isDomain(text: string): boolean {
  return text === '' || /^[\x21-\x2d\x2f-\x7e]+(?:\.[\x21-\x2d\x2f-\x7e]+)*$/.test(text);
}
