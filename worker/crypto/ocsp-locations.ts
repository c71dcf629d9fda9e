import type { Certificate } from '#crypto/certificate.ts';
import { OID } from '#crypto/certificate-extensions.ts';
import { contextTag, decodeOid, derReader, TAG } from '#crypto/der.ts';

const OCSP = '1.3.6.1.5.5.7.48.1';
const URI = contextTag(6, 'primitive');
const MAX_LOCATIONS = 4;

/**
 * Where a certificate says that its CA answers for it (authorityInfoAccess, RFC 5280, 4.2.2.1): http and https
 * addresses in their order.
 * @throws AppError `certificate-unreadable`.
 */
export function ocspLocations({ extensions }: Certificate): readonly string[] {
  const extension = extensions.find(({ oid }) => oid === OID.authorityInfoAccess);
  if (!extension) return [];
  const outer = derReader(extension.value, 'authorityInfoAccess');
  const list = outer.enter(TAG.sequence);
  outer.end();
  const found: string[] = [];
  while (list.peek() !== undefined) {
    const description = list.enter(TAG.sequence);
    const method = decodeOid(description.element(TAG.oid).content);
    const { tag, content } = description.any();
    description.end();
    const uri = content.toString('latin1');
    if (method === OCSP && tag === URI && /^https?:/i.test(uri) && found.length < MAX_LOCATIONS) found.push(uri);
  }
  return found;
}
