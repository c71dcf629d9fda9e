import { identityRule } from '#compose/identity-rule.ts';
import { type ReadFile, readTrustFiles } from '#compose/trust-files.ts';
import { readPublicKey } from '#crypto/keys.ts';
import { AppError } from '#model/errors.ts';
import type { TrustMaterial } from '#trust/material.ts';
import type { TrustOptions } from '#trust/options.ts';
import type { Attestor, CertificateAttestor, RevocationRule } from '#verification/attestor.ts';
import { liveAttestor } from '#verification/live-attestor.ts';
import { materialAttestor, rootAttestor, witnessedKeyAttestor } from '#verification/root-attestor.ts';
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
 * The configured trusts by id: whose evidence counts as present. Our own reading is the strict one. Trusts whose
 * material is fetched always hold the newest, see `liveAttestor`.
 * @throws AppError for files that cannot be read, and expressions that are none.
 */
export async function loadTrusts(
  options: readonly TrustOptions[],
  readFile: ReadFile,
  parts: TrustParts = {},
): Promise<ReadonlyMap<string, Attestor>> {
  const trusts = new Map<string, Attestor>();
  for (const option of options) trusts.set(option.id, await loadTrust(option, readFile, parts));
  return trusts;
}

async function loadTrust(
  option: TrustOptions,
  readFile: ReadFile,
  { revocation, sources }: TrustParts,
): Promise<Attestor> {
  const { id, anchors } = option;
  const identity = identityRule(option.identity, `trusts.${id}.identity`);
  const rule = revocation?.get(id);
  const lists = rule ? { revocation: rule } : {};
  switch (anchors.kind) {
    case 'key': {
      const key = readPublicKey((await readFile(anchors.file)).toString('utf8'));
      return witnessedKeyAttestor(key, await readTrustFiles(option, anchors.file, anchors.kind, readFile), option);
    }
    case 'caRoots':
    case 'certificateChain': {
      const material = await readTrustFiles(option, anchors.file, anchors.kind, readFile);
      return { ...materialAttestor(material, identity, option), ...lists };
    }
    case 'trustedRoot': {
      const material = await readTrustFiles(option, anchors.file, anchors.kind, readFile);
      return { ...rootAttestor(material, identity, option), ...lists };
    }
    case 'tuf':
    case 'sigstore': {
      const current = memoised(sources?.get(id) ?? nothingFetched(id), (bytes) => {
        return { ...rootAttestor(parseTrustedRoot(bytes), identity, option), ...lists };
      });
      return liveAttestor({ kind: 'certificate-chain', source: sourceOf(option), current });
    }
  }
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
