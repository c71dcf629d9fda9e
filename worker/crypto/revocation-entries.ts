import {
  type DerReader,
  decodeBoolean,
  decodeOid,
  decodeSmallInteger,
  decodeTime,
  derReader,
  malformed,
  TAG,
} from '#crypto/der.ts';

/** CRLReason (RFC 5280, 5.3.1). `removeFromCRL` takes a certificate off the list again. */
export const REVOCATION_REASONS = {
  0: 'unspecified',
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  8: 'removeFromCRL',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
} as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[keyof typeof REVOCATION_REASONS];

/** One certificate on a list. */
export interface Revocation {
  /** The earlier of the date on the list and the one from which its key is suspect. */
  readonly since: Date;
  readonly reason: RevocationReason;
}

export interface RevocationEntries {
  /** By serial number: content bytes in lower-case hex. */
  readonly bySerial: ReadonlyMap<string, Revocation>;
  /** OIDs of critical extensions of entries that are not understood. */
  readonly unknownCritical: readonly string[];
}

const REASON_CODE = '2.5.29.21';
const INVALIDITY_DATE = '2.5.29.24';
const ENUMERATED = 0x0a;

/** Reads the entries of a list (RFC 5280, 5.1.2.6 and 5.3). */
export function readRevocationEntries(list: DerReader): RevocationEntries {
  const bySerial = new Map<string, Revocation>();
  const unknownCritical = new Set<string>();
  while (list.peek() !== undefined) {
    const entry = list.enter(TAG.sequence, 'revoked certificate');
    const serial = entry.element(TAG.integer).content.toString('hex');
    const revokedAt = decodeTime(entry.any());
    const { reason, invalidSince } = readExtensions(entry, unknownCritical);
    entry.end();
    const since = invalidSince && invalidSince < revokedAt ? invalidSince : revokedAt;
    bySerial.set(serial, { since, reason });
  }
  return { bySerial, unknownCritical: [...unknownCritical] };
}

function readExtensions(
  entry: DerReader,
  unknownCritical: Set<string>,
): { readonly reason: RevocationReason; readonly invalidSince?: Date } {
  let reason: RevocationReason = 'unspecified';
  let invalidSince: Date | undefined;
  if (entry.peek() === undefined) return { reason };
  const extensions = entry.enter(TAG.sequence);
  while (extensions.peek() !== undefined) {
    const extension = extensions.enter(TAG.sequence);
    const oid = decodeOid(extension.element(TAG.oid).content);
    const flag = extension.optional(TAG.boolean);
    const critical = flag ? decodeBoolean(flag.content, 'critical flag') : false;
    const { content } = extension.element(TAG.octetString);
    extension.end();
    if (oid === REASON_CODE) reason = readReasonCode(derReader(content, 'reasonCode'));
    else if (oid === INVALIDITY_DATE) invalidSince = decodeTime(derReader(content, 'invalidityDate').any());
    else if (critical) unknownCritical.add(oid);
  }
  return invalidSince ? { reason, invalidSince } : { reason };
}

/** Reads a CRLReason. */
export function readReasonCode(reader: DerReader): RevocationReason {
  const code = decodeSmallInteger(reader.element(ENUMERATED).content, 'reasonCode');
  const reason = Object.entries(REVOCATION_REASONS).find(([known]) => Number(known) === code)?.[1];
  if (reason === undefined) throw malformed('reasonCode', 'a reason that is not known');
  return reason;
}
