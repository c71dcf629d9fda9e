import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import type { CertificateAuthority } from '#crypto/certificate-authority.ts';
import type { LogKey } from '#crypto/log-key.ts';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import type { TimeWindow } from '#crypto/time-window.ts';
import type { TimestampAuthority } from '#crypto/timestamp-authority.ts';
import { AppError } from '#model/errors.ts';
import { MessageProblem, type MessageReader, messageReader } from '#verification/proto-json.ts';
import { parseStrictJson } from '#verification/strict-json.ts';

/** Bytes of one file; that of the public instance has eight thousand. */
export const MAX_TRUSTED_ROOT_BYTES = 4 * 1024 * 1024;
/** Entries of one kind, and certificates of one chain. */
const MAX_INSTANCES = 256;
const MAX_CERTIFICATES = 11;

/** What a `trusted_root.json` vouches for (protobuf-specs, sigstore_trustroot.proto): keys and CAs with their windows. */
export interface TrustedRoot {
  /** The last certificate of each chain is the anchor. */
  readonly certificateAuthorities: readonly CertificateAuthority[];
  readonly logs: readonly LogKey[];
  readonly certificateLogs: readonly LogKey[];
  readonly timestampAuthorities: readonly TimestampAuthority[];
}

const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=0\.[12]|\.v0\.[12]\+json)$/;

/**
 * Reads a trusted root of version 0.1 or 0.2.
 * @throws AppError `trust-unreadable` with the place in the file.
 */
export function parseTrustedRoot(bytes: Uint8Array): TrustedRoot {
  if (bytes.length > MAX_TRUSTED_ROOT_BYTES) throw unreadable(`it is larger than ${MAX_TRUSTED_ROOT_BYTES} bytes`);
  const json = parseStrictJson(bytes);
  if (!json.ok) throw unreadable(json.problem);
  try {
    return readRoot(json.value, messageReader('compat'));
  } catch (error) {
    if (error instanceof MessageProblem) throw unreadable(error.message);
    throw error;
  }
}

function readRoot(value: unknown, reader: MessageReader): TrustedRoot {
  const root = reader.object(value, 'the trusted root', [
    'mediaType',
    'tlogs',
    'certificateAuthorities',
    'ctlogs',
    'timestampAuthorities',
  ]);
  const mediaType = reader.text(root.mediaType ?? '', 'mediaType');
  if (!MEDIA_TYPE.test(mediaType)) {
    throw new MessageProblem(`mediaType ${JSON.stringify(mediaType.slice(0, 120))} is none of a trusted root`);
  }
  const each = <Read>(name: keyof typeof root, read: (value: unknown, path: string, reader: MessageReader) => Read) =>
    reader.list(root[name], name, MAX_INSTANCES).map((entry, index) => read(entry, `${name}[${index}]`, reader));
  return {
    certificateAuthorities: each('certificateAuthorities', readAuthority),
    logs: each('tlogs', readLog),
    certificateLogs: each('ctlogs', readLog),
    timestampAuthorities: each('timestampAuthorities', readTimestampAuthority),
  };
}

function readLog(value: unknown, path: string, reader: MessageReader): LogKey {
  const log = reader.object(value, path, [
    'baseUrl',
    'hashAlgorithm',
    'publicKey',
    'logId',
    'checkpointKeyId',
    'operator',
  ]);
  if (log.hashAlgorithm !== 'SHA2_256' && log.hashAlgorithm !== 1) {
    throw new MessageProblem(`${path}.hashAlgorithm is not SHA2_256`);
  }
  const { keyId } = reader.object(log.logId, `${path}.logId`, ['keyId']);
  const at = `${path}.publicKey`;
  const publicKey = reader.object(log.publicKey, at, ['rawBytes', 'keyDetails', 'validFor']);
  const validFor = readWindow(publicKey.validFor, `${at}.validFor`, reader);
  // sigstore-go takes no log of which it is not said since when it is trusted.
  if (!validFor?.start) throw new MessageProblem(`${at}.validFor.start is missing`);
  return {
    id: reader.bytes(keyId, `${path}.logId.keyId`).toString('hex'),
    key: readKey(reader.bytes(publicKey.rawBytes, `${at}.rawBytes`), publicKey.keyDetails, at),
    ...originOf(reader.text(log.baseUrl ?? '', `${path}.baseUrl`)),
    validFor,
  };
}

function readKey(der: Buffer, details: unknown, path: string): KeyObject {
  const type = details === 'PKCS1_RSA_PKCS1V5' || details === 1 ? 'pkcs1' : 'spki';
  try {
    return createPublicKey({ key: der, format: 'der', type });
  } catch {
    throw new MessageProblem(`${path}.rawBytes is no public key`);
  }
}

/** Checkpoints of Rekor v2 name the host of the log. */
function originOf(baseUrl: string): Pick<LogKey, 'origin'> {
  return URL.canParse(baseUrl) ? { origin: new URL(baseUrl).hostname } : {};
}

function readAuthority(value: unknown, path: string, reader: MessageReader): CertificateAuthority {
  const { certificates, validFor } = readChain(value, path, reader);
  return {
    anchors: certificates.slice(-1),
    intermediates: certificates.slice(0, -1),
    ...(validFor ? { validFor } : {}),
  };
}

function readTimestampAuthority(value: unknown, path: string, reader: MessageReader): TimestampAuthority {
  const { certificates, validFor } = readChain(value, path, reader);
  const [first] = certificates;
  const leaf = first && !first.basicConstraints?.ca ? first : undefined;
  return {
    ...(leaf ? { certificate: leaf } : {}),
    intermediates: certificates.slice(leaf ? 1 : 0, -1),
    roots: certificates.slice(leaf ? 1 : 0).slice(-1),
    ...(validFor ? { validFor } : {}),
  };
}

function readChain(
  value: unknown,
  path: string,
  reader: MessageReader,
): { readonly certificates: readonly Certificate[]; readonly validFor: TimeWindow | undefined } {
  const authority = reader.object(value, path, ['subject', 'uri', 'certChain', 'validFor', 'operator']);
  const at = `${path}.certChain`;
  const chain = reader.object(authority.certChain, at, ['certificates']);
  const list = reader.list(chain.certificates, `${at}.certificates`, MAX_CERTIFICATES);
  if (list.length === 0) throw new MessageProblem(`${at} holds no certificate`);
  const certificates = list.map((each, index) => {
    const where = `${at}.certificates[${index}]`;
    const { rawBytes } = reader.object(each, where, ['rawBytes']);
    return readable(reader.bytes(rawBytes, `${where}.rawBytes`), where);
  });
  return { certificates, validFor: readWindow(authority.validFor, `${path}.validFor`, reader) };
}

function readable(der: Buffer, path: string): Certificate {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof AppError) throw new MessageProblem(`${path}: ${error.message}`);
    throw error;
  }
}

function readWindow(value: unknown, path: string, reader: MessageReader): TimeWindow | undefined {
  if (value === undefined) return undefined;
  const { start, end } = reader.object(value, path, ['start', 'end']);
  return {
    ...(start === undefined ? {} : { start: readTime(reader.text(start, `${path}.start`), `${path}.start`) }),
    ...(end === undefined ? {} : { end: readTime(reader.text(end, `${path}.end`), `${path}.end`) }),
  };
}

function readTime(text: string, path: string): Date {
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(time.getTime())) {
    throw new MessageProblem(`${path} is no time (RFC 3339)`);
  }
  return time;
}

function unreadable(problem: string): AppError {
  return new AppError('trust-unreadable', `the trusted root cannot be read: ${problem}`, {
    mend: 'give a trusted_root.json of version 0.1 or 0.2, as cosign trusted-root create or a TUF repository gives it',
  });
}
