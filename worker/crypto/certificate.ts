import type { KeyObject, X509Certificate } from 'node:crypto';

/** One name of a subjectAlternativeName or of a name constraint (RFC 5280, 4.2.1.6). IP values are lower-case hex. */
export interface GeneralName {
  readonly type: 'uri' | 'email' | 'dns' | 'ip' | 'other';
  readonly value: string;
}

/** nameConstraints of a CA (RFC 5280, 4.2.1.10); IP values are address and mask. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** What a CA says about certificate policies (RFC 5280, 4.2.1.4, 5, 11 and 14). */
export interface PolicyExtensions {
  readonly policies: readonly string[];
  readonly mappings: boolean;
  readonly requireExplicitPolicy?: number;
  readonly inhibitAnyPolicy?: number;
}

/** An extension as it stands in a certificate. */
export interface CertificateExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** Content of its OCTET STRING. */
  readonly value: Uint8Array;
}

/** A parsed X.509 certificate (RFC 5280): the fields that verification and linting read. */
export interface Certificate {
  /** DER. */
  readonly raw: Uint8Array;
  readonly pem: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly version: 1 | 2 | 3;
  /** Content bytes of the serial number, lower-case hex. */
  readonly serialNumber: string;
  /** RFC 4514 text, for people. */
  readonly subject: string;
  readonly issuer: string;
  /** DER of the names: what path building compares. */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKeyDer: Uint8Array;
  readonly x509: X509Certificate;
  /** cA of basicConstraints; undefined when the extension is absent. */
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number };
  /** keyUsage bit names of RFC 5280 4.2.1.3; undefined when absent. */
  readonly keyUsage?: readonly string[];
  /** extKeyUsage OIDs; undefined when absent. */
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectAlternativeNames: readonly GeneralName[];
  readonly nameConstraints?: NameConstraints;
  readonly policies?: PolicyExtensions;
  /** Lower-case hex; empty when absent. */
  readonly subjectKeyId: string;
  readonly authorityKeyId: string;
  /** All extensions, in their order. */
  readonly extensions: readonly CertificateExtension[];
  /** OIDs of critical extensions that this program does not understand. */
  readonly unknownCritical: readonly string[];
  /** Name of the algorithm by which the issuer signed, `SIGNATURE_ALGORITHMS`; the OID of one that is not known. */
  readonly signatureAlgorithm: string;
  /** Subject and issuer are the same name. */
  readonly selfIssued: boolean;
}
