import { type FileTrust, openFileTrust } from '#compose/file-trust.ts';
import { identityRule } from '#compose/identity-rule.ts';
import type { ReadFile } from '#compose/trust-files.ts';
import { AppError } from '#model/errors.ts';
import type { TrustMaterial } from '#trust/material.ts';
import type { TrustOptions } from '#trust/options.ts';
import type { Attestor, CertificateAttestor, RevocationRule } from '#verification/attestor.ts';
import { liveAttestor } from '#verification/live-attestor.ts';
import { rootAttestor } from '#verification/root-attestor.ts';
import { parseTrustedRoot } from '#verification/trusted-root.ts';

/** Where the material of trusts comes from that is fetched, by the id of the trust. */
export type MaterialSources = ReadonlyMap<string, { current(): TrustMaterial }>;

export interface TrustParts {
  /** Rules by the id of the trust. */
  readonly revocation?: ReadonlyMap<string, RevocationRule>;
  /** Absent: nothing is fetched, and trusts that would be judge nothing. */
  readonly sources?: MaterialSources;
}

/**
 * The configured trusts by id: whose evidence counts as present. Our own reading is the strict one. They always hold the
 * newest material, see `liveAttestor`.
 * @throws AppError for files that cannot be read, and expressions that are none.
 */
export async function loadTrusts(
  options: readonly TrustOptions[],
  readFile: ReadFile,
  parts: TrustParts = {},
): Promise<ReadonlyMap<string, Attestor>> {
  return (await openTrusts(options, readFile, parts)).trusts;
}

export interface OpenedTrusts {
  readonly trusts: ReadonlyMap<string, Attestor>;
  /** Those whose material lies in files. */
  readonly files: ReadonlyMap<string, FileTrust>;
}

/** The same, with a way to read again what lies in files. */
export async function openTrusts(
  options: readonly TrustOptions[],
  readFile: ReadFile,
  { revocation, sources }: TrustParts = {},
): Promise<OpenedTrusts> {
  const trusts = new Map<string, Attestor>();
  const files = new Map<string, FileTrust>();
  for (const option of options) {
    const { id, anchors } = option;
    if ('file' in anchors) {
      const opened = await openFileTrust(option, anchors, readFile, revocation?.get(id));
      files.set(id, opened);
      trusts.set(id, opened.attestor);
    } else trusts.set(id, fetchedTrust(option, revocation?.get(id), sources));
  }
  return { trusts, files };
}

function fetchedTrust(option: TrustOptions, rule: RevocationRule | undefined, sources?: MaterialSources): Attestor {
  const { id } = option;
  const identity = identityRule(option.identity, `trusts.${id}.identity`);
  const current = memoised(sources?.get(id) ?? nothingFetched(id), (bytes) => {
    return { ...rootAttestor(parseTrustedRoot(bytes), identity, option), ...(rule ? { revocation: rule } : {}) };
  });
  return liveAttestor({ kind: 'certificate-chain', source: sourceOf(option), current });
}

/** Parsed once for each material: every judgement asks. */
function memoised(
  source: { current(): TrustMaterial },
  make: (bytes: Uint8Array) => CertificateAttestor,
): () => CertificateAttestor {
  let made: { readonly of: TrustMaterial; readonly attestor: CertificateAttestor } | undefined;
  return () => {
    const material = source.current();
    if (made?.of !== material) made = { of: material, attestor: make(material.bytes) };
    return made.attestor;
  };
}

function nothingFetched(id: string): { current(): TrustMaterial } {
  return {
    current() {
      throw new AppError('trust-unavailable', `trust ${id}: its material is not fetched here`);
    },
  };
}

/** What of the settings decides, as text. */
function sourceOf({ anchors, identity, transparencyLog, certificateTimestamp, timestamps }: TrustOptions): string {
  const where = anchors.kind === 'tuf' ? [anchors.tuf.mirror, anchors.tuf.target] : anchors.kind;
  return JSON.stringify({ where, identity, transparencyLog, certificateTimestamp, timestamps });
}
