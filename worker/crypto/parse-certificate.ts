import { X509Certificate } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { type ExtensionFields, NO_EXTENSIONS, readExtensions } from '#crypto/certificate-extensions.ts';
import {
  assertInteger,
  contextTag,
  type DerReader,
  decodeSmallInteger,
  decodeTime,
  derReader,
  malformed,
  TAG,
} from '#crypto/der.ts';
import { formatDistinguishedName } from '#crypto/distinguished-name.ts';
import { readPem, writePem } from '#crypto/pem.ts';
import { readSignatureAlgorithm } from '#crypto/signature-algorithm.ts';
import { sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';

/** Bytes of one certificate; real ones have one or two thousand. */
const MAX_CERTIFICATE_BYTES = 64 * 1024;
/** Certificates of one file; a chain has three or four. */
const MAX_CERTIFICATES = 32;

/**
 * All certificates of a PEM text, in their order.
 * @throws AppError `certificate-unreadable` naming the block when there is none, or one is broken; `too-large`.
 */
export function parseCertificates(pem: string): Certificate[] {
  const blocks = readPem(pem, 'certificate-unreadable', 'certificate file');
  if (blocks.length === 0) {
    throw new AppError('certificate-unreadable', 'there is no PEM block of a certificate', {
      mend: 'the file must hold -----BEGIN CERTIFICATE----- blocks; convert DER with openssl x509 -inform der',
    });
  }
  if (blocks.length > MAX_CERTIFICATES) {
    throw new AppError('too-large', `${blocks.length} certificates in one file; at most ${MAX_CERTIFICATES} are read`);
  }
  return blocks.map((block, index) => {
    if (block.label !== 'CERTIFICATE') {
      throw new AppError('certificate-unreadable', `block ${index + 1} is a ${block.label}, not a CERTIFICATE`, {
        mend: 'keep only certificates in this file',
      });
    }
    try {
      return parseCertificate(block.der);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw new AppError(error.code, `certificate ${index + 1}: ${error.message}`, { cause: error });
    }
  });
}

/**
 * Reads one certificate (RFC 5280, 4.1) from DER, as strictly as Go's parser, which is the one of cosign and Kyverno:
 * what that refuses, this refuses. OpenSSL alone would accept loose encodings, duplicate extensions and an inner
 * algorithm that differs from the outer. Our own reader also spares a `verify` the 100 ms of loading an ASN.1 library.
 * @throws AppError `certificate-unreadable`, `too-large`.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new AppError('too-large', `a certificate of ${der.length} bytes; at most ${MAX_CERTIFICATE_BYTES} are read`);
  }
  const whole = derReader(der, 'certificate');
  const outer = whole.enter(TAG.sequence);
  whole.end();
  const tbs = outer.enter(TAG.sequence, 'tbsCertificate');
  const algorithm = outer.element(TAG.sequence);
  outer.element(TAG.bitString);
  outer.end();

  const version = readVersion(tbs);
  const serial = tbs.element(TAG.integer).content;
  assertInteger(serial, 'serialNumber');
  if ((serial[0] ?? 0) >= 0x80) throw malformed('serialNumber', 'a negative number');
  const inner = tbs.element(TAG.sequence);
  if (!inner.raw.equals(algorithm.raw)) {
    throw malformed('certificate', 'the inner and the outer signature algorithm differ');
  }
  const issuerDer = tbs.element(TAG.sequence).raw;
  const validity = tbs.enter(TAG.sequence, 'validity');
  const notBefore = decodeTime(validity.any());
  const notAfter = decodeTime(validity.any());
  const subjectDer = tbs.element(TAG.sequence).raw;
  const publicKeyDer = tbs.element(TAG.sequence).raw;
  const extensions = readTail(tbs, version);
  const x509 = openCertificate(der);

  return {
    raw: Buffer.from(der),
    pem: writePem('CERTIFICATE', der),
    fingerprint: sha256Hex(der),
    version,
    serialNumber: serial.toString('hex'),
    subject: formatDistinguishedName(subjectDer),
    issuer: formatDistinguishedName(issuerDer),
    subjectDer,
    issuerDer,
    notBefore,
    notAfter,
    publicKey: publicKeyOf(x509),
    publicKeyDer,
    x509,
    signatureAlgorithm: readSignatureAlgorithm(algorithm),
    selfIssued: subjectDer.equals(issuerDer),
    ...extensions,
  };
}

function readVersion(tbs: DerReader): 1 | 2 | 3 {
  const tag = contextTag(0, 'constructed');
  if (tbs.peek() !== tag) return 1;
  const version = decodeSmallInteger(tbs.enter(tag).element(TAG.integer).content, 'version');
  if (version > 2) throw malformed('version', 'a version above 3');
  return version === 2 ? 3 : version === 1 ? 2 : 1;
}

/** Unique identifiers (skipped) and extensions, as far as the version has them. */
function readTail(tbs: DerReader, version: 1 | 2 | 3): ExtensionFields {
  if (version > 1) {
    tbs.optional(contextTag(1, 'primitive'));
    tbs.optional(contextTag(2, 'primitive'));
  }
  const tag = contextTag(3, 'constructed');
  if (version < 3 || tbs.peek() !== tag) {
    tbs.end();
    return NO_EXTENSIONS;
  }
  const wrapper = tbs.enter(tag, 'extensions');
  const extensions = readExtensions(wrapper.enter(TAG.sequence));
  wrapper.end();
  tbs.end();
  return extensions;
}

function openCertificate(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw new AppError('certificate-unreadable', 'OpenSSL cannot read it', { cause });
  }
}

function publicKeyOf(x509: X509Certificate): Certificate['publicKey'] {
  try {
    return x509.publicKey;
  } catch (cause) {
    throw new AppError('certificate-unreadable', 'its public key is of a kind that cannot be read', { cause });
  }
}
