import type { KeyObject, X509Certificate } from 'node:crypto';

/** A parsed X.509 certificate (RFC 5280): the fields that verification and linting read. */
export interface Certificate {
  /** DER. */
  readonly raw: Uint8Array;
  readonly pem: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** RFC 4514 text, for people. */
  readonly subject: string;
  readonly issuer: string;
  /** DER of the names: what path building compares. */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly x509: X509Certificate;
  /** cA of basicConstraints; undefined when the extension is absent. */
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number };
  /** keyUsage bit names of RFC 5280 4.2.1.3; undefined when absent. */
  readonly keyUsage?: readonly string[];
  /** extKeyUsage OIDs; undefined when absent. */
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectAlternativeNames: readonly {
    readonly type: 'uri' | 'email' | 'dns' | 'ip' | 'other';
    readonly value: string;
  }[];
  /** OIDs of critical extensions that this program does not understand. */
  readonly unknownCritical: readonly string[];
  readonly signatureAlgorithm: string;
  readonly selfIssued: boolean;
}
