import type { EvidenceDefect } from '#model/evidence.ts';
import { type BundleContent, readContent } from '#verification/bundle-content.ts';
import { type BundleLogEntry, readLogEntry } from '#verification/bundle-log-entry.ts';
import { type Members, MessageProblem, type MessageReader, messageReader } from '#verification/proto-json.ts';
import type { Profile } from '#verification/statement.ts';
import { parseStrictJson } from '#verification/strict-json.ts';

/** Log entries, timestamps and certificates of one bundle: what sigstore-go takes. */
const MAX_ENTRIES = 32;
const MAX_TIMESTAMPS = 32;
const MAX_CERTIFICATES = 11;

const BASE = 'application/vnd.dev.sigstore.bundle';

/** Versions of the format. */
export type BundleVersion = '0.1' | '0.2' | '0.3';

/** Who signed, as the bundle presents it. */
export type BundleSigner =
  | { readonly kind: 'certificate'; readonly der: Buffer }
  /** Leaf first. */
  | { readonly kind: 'chain'; readonly ders: readonly Buffer[] }
  /** The hint is nobody's word: it names a key and proves nothing. */
  | { readonly kind: 'public-key'; readonly hint: string };

/** A Sigstore bundle (protobuf-specs, sigstore_bundle.proto; interop specification A.3.2): read, and nothing believed. */
export interface SigstoreBundle {
  readonly version: BundleVersion;
  readonly signer: BundleSigner;
  readonly logEntries: readonly BundleLogEntry[];
  /** RFC 3161 responses in DER. */
  readonly timestamps: readonly Buffer[];
  readonly content: BundleContent;
}

export type ParsedBundle =
  | { readonly ok: true; readonly bundle: SigstoreBundle }
  | { readonly ok: false; readonly defect: EvidenceDefect };

/**
 * Reads a bundle of any version. `compat` takes what sigstore-go takes, `strict` the canonical writing alone.
 * `certificateChain` takes a chain in version 0.3 too, which the format does not allow and cosign once wrote.
 */
export function parseBundle(
  bytes: Uint8Array,
  profile: Profile,
  certificateChain = profile === 'strict',
): ParsedBundle {
  const json = parseStrictJson(bytes);
  if (!json.ok) return malformed(json.problem);
  try {
    const bundle = readBundle(json.value, messageReader(profile));
    const problem = versionProblem(bundle, profile, certificateChain);
    return problem === undefined ? { ok: true, bundle } : malformed(problem);
  } catch (error) {
    if (error instanceof MessageProblem) return malformed(error.message);
    throw error;
  }
}

function readBundle(value: unknown, reader: MessageReader): SigstoreBundle {
  const fields = ['mediaType', 'verificationMaterial', 'messageSignature', 'dsseEnvelope'];
  const top = reader.object(value, 'the bundle', fields);
  const version = versionOf(reader.text(top.mediaType, 'mediaType'));
  const path = 'verificationMaterial';
  const material = reader.object(top.verificationMaterial, path, [
    'publicKey',
    'x509CertificateChain',
    'certificate',
    'tlogEntries',
    'timestampVerificationData',
  ]);
  const logEntries = reader
    .list(material.tlogEntries, `${path}.tlogEntries`, MAX_ENTRIES)
    .map((entry, index) => readLogEntry(entry, `${path}.tlogEntries[${index}]`, reader));
  return {
    version,
    signer: readSigner(material, path, reader),
    logEntries,
    timestamps: readTimestamps(material.timestampVerificationData, `${path}.timestampVerificationData`, reader),
    content: readContent(top, reader),
  };
}

function versionOf(mediaType: string): BundleVersion {
  const [, version] =
    /^application\/vnd\.dev\.sigstore\.bundle(?:\+json;version=|\.v)(0\.[123])(?:\+json)?$/.exec(mediaType) ?? [];
  const written = [`${BASE}+json;version=${version}`, `${BASE}.v${version}+json`];
  if (version === undefined || !written.includes(mediaType)) {
    throw new MessageProblem(`mediaType ${JSON.stringify(mediaType.slice(0, 120))} is none of a bundle that is read`);
  }
  return version as BundleVersion;
}

function readSigner(material: Members, path: string, reader: MessageReader): BundleSigner {
  const { certificate, x509CertificateChain, publicKey } = material;
  const given = [certificate, x509CertificateChain, publicKey].filter((each) => each !== undefined);
  if (given.length !== 1) throw new MessageProblem(`${path} holds ${given.length} of certificate, chain and key`);
  if (certificate !== undefined)
    return { kind: 'certificate', der: rawBytes(certificate, `${path}.certificate`, reader) };
  if (publicKey !== undefined) {
    const { hint = '' } = reader.object(publicKey, `${path}.publicKey`, ['hint']);
    return { kind: 'public-key', hint: reader.text(hint, `${path}.publicKey.hint`) };
  }
  const at = `${path}.x509CertificateChain`;
  const { certificates } = reader.object(x509CertificateChain, at, ['certificates']);
  const ders = reader
    .list(certificates, `${at}.certificates`, MAX_CERTIFICATES)
    .map((each, index) => rawBytes(each, `${at}.certificates[${index}]`, reader));
  if (ders.length === 0) throw new MessageProblem(`${at} is empty`);
  return { kind: 'chain', ders };
}

function rawBytes(value: unknown, path: string, reader: MessageReader): Buffer {
  return reader.bytes(reader.object(value, path, ['rawBytes']).rawBytes, `${path}.rawBytes`);
}

function readTimestamps(value: unknown, path: string, reader: MessageReader): readonly Buffer[] {
  if (value === undefined) return [];
  const { rfc3161Timestamps } = reader.object(value, path, ['rfc3161Timestamps']);
  const at = `${path}.rfc3161Timestamps`;
  return reader.list(rfc3161Timestamps, at, MAX_TIMESTAMPS).map((each, index) => {
    const { signedTimestamp } = reader.object(each, `${at}[${index}]`, ['signedTimestamp']);
    return reader.bytes(signedTimestamp, `${at}[${index}].signedTimestamp`);
  });
}

/** What a version wants of its entries; sigstore-go is content when one of them has it. */
function versionProblem(
  { version, logEntries, signer }: SigstoreBundle,
  profile: Profile,
  certificateChain: boolean,
): string | undefined {
  const some = profile === 'compat' ? 'some' : 'every';
  const lacks = (has: (entry: BundleLogEntry) => boolean) => logEntries.length > 0 && !logEntries[some](has);
  if (version === '0.1') {
    return lacks(({ promise }) => promise !== undefined) ? 'a log entry has no inclusion promise' : undefined;
  }
  if (lacks(({ proof }) => proof !== undefined)) return 'a log entry has no inclusion proof';
  if (version === '0.3' && signer.kind === 'chain' && !certificateChain) {
    return 'version 0.3 carries the certificate of the signer alone, and no chain';
  }
  return undefined;
}

function malformed(problem: string): ParsedBundle {
  return { ok: false, defect: { code: 'bundle-malformed', message: `The bytes are no Sigstore bundle: ${problem}.` } };
}
