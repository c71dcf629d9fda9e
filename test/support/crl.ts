import { sign } from 'node:crypto';
import { bits, integer, octets, oid, sequence, time, tlv } from './der.ts';
import { extension, generalName, type Issued, pemOf } from './pki.ts';

export interface RevokedSpec {
  /** INTEGER content bytes. */
  readonly serial: Uint8Array;
  readonly since: Date;
  /** CRLReason; absent: no reason is given. */
  readonly reason?: number;
  readonly invalidSince?: Date;
}

export interface CrlSpec {
  readonly revoked?: readonly RevokedSpec[];
  readonly thisUpdate?: Date;
  /** `null` leaves it out. */
  readonly nextUpdate?: Date | null;
  /** DER extensions, see `extension`. */
  readonly extensions?: readonly Uint8Array[];
}

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const REASON_CODE = '2.5.29.21';
const INVALIDITY_DATE = '2.5.29.24';

/** A list signed by the P-256 key of a CA, in DER. */
export function makeCrl(issuer: Pick<Issued, 'name' | 'key'>, spec: CrlSpec = {}): Buffer {
  const entries = (spec.revoked ?? []).map(({ serial, since, reason, invalidSince }) => {
    const extensions = [
      ...(reason === undefined ? [] : [extension(REASON_CODE, tlv(0x0a, Buffer.from([reason])))]),
      ...(invalidSince ? [extension(INVALIDITY_DATE, generalizedTime(invalidSince))] : []),
    ];
    return sequence(integer(serial), time(since), ...(extensions.length > 0 ? [sequence(...extensions)] : []));
  });
  const next = spec.nextUpdate === undefined ? new Date('2045-01-01T00:00:00Z') : spec.nextUpdate;
  const tbs = sequence(
    integer(1),
    ECDSA_SHA256,
    issuer.name,
    time(spec.thisUpdate ?? new Date('2020-01-01T00:00:00Z')),
    ...(next ? [time(next)] : []),
    ...(entries.length > 0 ? [sequence(Buffer.concat(entries))] : []),
    ...(spec.extensions ? [tlv(0xa0, sequence(...spec.extensions.map((raw) => Buffer.from(raw))))] : []),
  );
  return sequence(tbs, ECDSA_SHA256, bits(sign('sha256', tbs, issuer.key)));
}

export function crlPem(issuer: Pick<Issued, 'name' | 'key'>, spec?: CrlSpec): string {
  return pemOf(makeCrl(issuer, spec), 'X509 CRL');
}

/** The extension of a certificate that names where its list is; each a point of its own. */
export function distributionPointsAt(...uris: readonly string[]): Buffer {
  const points = uris.map((uri) => sequence(tlv(0xa0, tlv(0xa0, generalName({ type: 'uri', value: uri })))));
  return extension('2.5.29.31', sequence(...points));
}

/** Octets that an extension may hold, for those that are not understood. */
export function strangeExtension(): Buffer {
  return extension('1.3.6.1.4.1.99999.1', octets(Buffer.from('?')), true);
}

function generalizedTime(date: Date): Buffer {
  const text = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return tlv(0x18, Buffer.from(text));
}
