import { type DerElement, decodeOid, derReader, malformed, TAG } from '#crypto/der.ts';

/** Short names of RFC 4514 section 3, and the ones that private CAs use beside them. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

/** A Name (RFC 5280, 4.1.2.4) as RFC 4514 text: most specific part first. Empty for the empty name. */
export function formatDistinguishedName(der: Uint8Array): string {
  const name = derReader(der, 'name').enter(TAG.sequence);
  const parts: string[] = [];
  while (name.peek() !== undefined) {
    const rdn = name.enter(TAG.set);
    const attributes: string[] = [];
    while (rdn.peek() !== undefined) {
      const attribute = rdn.enter(TAG.sequence);
      const type = decodeOid(attribute.element(TAG.oid).content);
      attributes.push(`${SHORT_NAMES[type] ?? type}=${escapeText(decodeString(attribute.any()))}`);
      attribute.end();
    }
    parts.unshift(attributes.join('+'));
  }
  return parts.join(',');
}

/** The string types that names may have, each with its own alphabet; others are refused. */
function decodeString({ tag, content }: DerElement): string {
  switch (tag) {
    case TAG.utf8String:
      return utf8(content);
    case TAG.printableString:
      return matching(content, /^[A-Za-z0-9 '()+,\-./:=?*&]*$/, 'PrintableString');
    case TAG.ia5String:
      return matching(content, /^\p{ASCII}*$/u, 'IA5String');
    case TAG.numericString:
      return matching(content, /^[0-9 ]*$/, 'NumericString');
    case TAG.teletexString:
      return content.toString('latin1');
    case TAG.bmpString:
      if (content.length % 2 !== 0) throw malformed('name', 'an odd BMPString');
      return Buffer.from(content).swap16().toString('utf16le');
    default:
      throw malformed('name', `a string of type ${tag}`);
  }
}

function utf8(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw malformed('name', 'a string that is not UTF-8');
  }
}

function matching(content: Buffer, alphabet: RegExp, type: string): string {
  const text = content.toString('latin1');
  if (!alphabet.test(text)) throw malformed('name', `a character that a ${type} cannot hold`);
  return text;
}

/** RFC 4514 2.4; control characters too, since these names reach terminals and logs. */
function escapeText(text: string): string {
  return text
    .replace(/[\\",+;<>=]/g, '\\$&')
    .replace(/^[ #]|(?<!^) $/g, '\\$&')
    .replace(/\p{Cc}/gu, (control) => `\\${Buffer.from(control).toString('hex').toUpperCase()}`);
}
