import { PackageURL } from 'packageurl-js';
import type { Digest } from '#model/digest.ts';
import { OS_RELEASE_PATHS } from '#sbom/catalogers/os-release.ts';
import { silentZero } from '#sbom/distributions.ts';
import type { PackageFact, SystemFact } from '#sbom/fact.ts';
import type { ImageFact } from '#sbom/image-tree.ts';
import type { Inventory, OperatingSystem, Package } from '#sbom/inventory.ts';
import { plainText } from '#sbom/plain-text.ts';

const MAX_GAPS = 200;
// Long enough for a sentence about the longest path that is likely; gaps are printed on terminals too.
const MAX_GAP = 600;

/** Makes the inventory of an image from the facts that its finished tree shows. */
export function listPackages(
  facts: Iterable<ImageFact>,
  layers: readonly Digest[],
  gaps: readonly string[],
): Inventory {
  const all = [...facts];
  const os = systemOf(all);
  const owned = ownedPaths(all);
  const found = new Map<string, Draft>();
  const missing = new Set(gaps);
  const unread = new Map<string, string[]>();
  let ownedEvidence = 0;
  for (const { path, layer, fact } of all) {
    const isOwned = owned.has(mergedUsr(path));
    switch (fact.kind) {
      case 'package':
        if (isOwned && !fact.distribution) ownedEvidence++;
        else addPackage(found, missing, { path, layer, purl: packageUrl(fact, os), fact });
        break;
      case 'unread':
        if (!isOwned) unread.set(fact.what, [...(unread.get(fact.what) ?? []), path]);
        break;
      case 'gap':
        missing.add(fact.message);
        break;
      case 'system':
      case 'owns':
        break;
    }
  }
  for (const [what, paths] of unread) missing.add(`${what} are not read: ${paths.length}, such as ${paths.sort()[0]}`);
  const zero = silentZero(os, new Set([...found.values()].map(({ fact }) => fact.type)));
  if (zero) missing.add(zero);
  const packages = [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([purl, draft]) => finish(purl, draft, os, layers));
  return {
    ...(os ? { os } : {}),
    packages,
    complete: missing.size === 0,
    gaps: boundedGaps([...missing].map((gap) => plainText(gap, MAX_GAP)).sort()),
    layers: layers.map((digest, place) => ({
      digest,
      packages: [...found.values()].filter(({ layer }) => layer === place).length,
    })),
    owned: ownedEvidence,
    ...(zero ? { silentZero: zero } : {}),
  };
}

interface Draft {
  readonly fact: PackageFact;
  readonly paths: Set<string>;
  readonly licenses: Set<string>;
  layer: number;
}

function addPackage(
  found: Map<string, Draft>,
  missing: Set<string>,
  { purl, fact, path, layer }: { purl: string | undefined; fact: PackageFact; path: string; layer: number },
): void {
  if (purl === undefined) {
    missing.add(`${path}: the name of a ${fact.type} package fits no package URL`);
    return;
  }
  const draft = found.get(purl) ?? { fact, paths: new Set(), licenses: new Set(), layer };
  draft.paths.add(path);
  for (const license of fact.licenses ?? []) draft.licenses.add(license);
  draft.layer = Math.min(draft.layer, layer);
  found.set(purl, draft);
}

function finish(purl: string, draft: Draft, os: OperatingSystem | undefined, layers: readonly Digest[]): Package {
  const { fact } = draft;
  const namespace = namespaceOf(fact, os);
  const layer = layers[draft.layer];
  if (layer === undefined) throw new RangeError(`no layer ${draft.layer}`);
  return {
    purl,
    type: fact.type,
    ...(namespace === undefined ? {} : { namespace }),
    name: fact.name,
    version: fact.version,
    licenses: [...draft.licenses].sort(),
    paths: [...draft.paths].sort(),
    layer,
  };
}

function packageUrl(fact: PackageFact, os: OperatingSystem | undefined): string | undefined {
  const distro = fact.distribution && os ? { distro: [os.id, os.versionId].filter(Boolean).join('-') } : {};
  const qualifiers = { ...fact.qualifiers, ...distro };
  try {
    return new PackageURL(fact.type, namespaceOf(fact, os), fact.name, fact.version, qualifiers, undefined).toString();
  } catch {
    return undefined;
  }
}

function namespaceOf(fact: PackageFact, os: OperatingSystem | undefined): string | undefined {
  if (!fact.distribution) return fact.namespace;
  // A dpkg database without os-release is Debian's own form.
  return os?.id ?? (fact.type === 'deb' ? 'debian' : undefined);
}

/** The first os-release in the order that os-release(5) gives. */
function systemOf(facts: readonly ImageFact[]): OperatingSystem | undefined {
  for (const wanted of OS_RELEASE_PATHS) {
    for (const { path, fact } of facts) if (path === wanted && fact.kind === 'system') return withoutKind(fact);
  }
  return undefined;
}

function withoutKind({ kind: _, ...system }: SystemFact): OperatingSystem {
  return system;
}

function ownedPaths(facts: readonly ImageFact[]): ReadonlySet<string> {
  return new Set(facts.flatMap(({ fact }) => (fact.kind === 'owns' ? fact.paths.map(mergedUsr) : [])));
}

/** Lists of older packages say `/lib/…` for what lies in `/usr/lib/…` since both became one folder. */
function mergedUsr(path: string): string {
  return /^(?:bin|sbin|lib|lib32|lib64|libx32)\//.test(path) ? `usr/${path}` : path;
}

function boundedGaps(gaps: readonly string[]): string[] {
  if (gaps.length <= MAX_GAPS) return [...gaps];
  return [...gaps.slice(0, MAX_GAPS), `and ${gaps.length - MAX_GAPS} more`];
}
