import { AppError } from '#model/errors.ts';
import type { CatalogedFile, Cataloger } from '#sbom/cataloger.ts';
import type { Fact } from '#sbom/fact.ts';
import { createHeldFiles } from '#sbom/held-files.ts';
import type { LayerFacts } from '#sbom/layer-facts.ts';
import { whiteoutOf } from '#sbom/layer-path.ts';
import type { LayerEntry, LayerVisitor } from '#sbom/layer-walk.ts';
import type { WalkLimits } from '#sbom/limits.ts';
import { createPathHashes } from '#sbom/path-hashes.ts';

/** Gathers the facts of one layer while it is walked. */
export interface FactCollector {
  readonly visitor: LayerVisitor;
  /**
   * Visits the layer a second time, for the content of wanted hard links: their targets were stepped over. Undefined
   * when there are none. Installers that link out of a content store (pnpm, uv) write such layers.
   */
  linkVisitor(): LayerVisitor | undefined;
  /** Called once, after the last visit. */
  facts(version: string, unpackedBytes: number): Promise<LayerFacts>;
}

const NONE: ReadonlyMap<string, Uint8Array> = new Map();
const EMPTY = new Uint8Array();
const MAX_GAPS = 50;

export function createFactCollector(catalogers: readonly Cataloger[], limits: WalkLimits): FactCollector {
  const files = new Map<string, Fact[]>();
  const named = new Map<string, readonly Cataloger[]>();
  const links = new Map<string, string>();
  const held = createHeldFiles(limits.heldBytes);
  const whiteouts = new Set<string>();
  const opaques = new Set<string>();
  const occupied = createPathHashes();
  const gaps = new Set<string>();
  let chars = 0;

  function entry(found: LayerEntry): boolean {
    const whiteout = whiteoutOf(found.path);
    if (whiteout) {
      if (whiteout !== 'internal') account(found.path);
      if (whiteout !== 'internal' && whiteout.kind === 'path') whiteouts.add(whiteout.path);
      if (whiteout !== 'internal' && whiteout.kind === 'opaque') opaques.add(whiteout.folder);
      return false;
    }
    if (found.kind === 'directory' || found.path === '') return false;
    occupied.add(found.path);
    // The same path twice in one archive: the later entry is what a runtime leaves.
    for (const place of [files, named, links, held]) place.delete(found.path);
    const wanting = readers(found);
    if (wanting.length === 0 || (found.kind !== 'file' && found.kind !== 'hard-link')) return false;
    const byName = wanting.filter(({ reads }) => reads === 'name');
    if (byName.length > 0) named.set(found.path, byName);
    if (byName.length === wanting.length) return false;
    if (found.kind === 'hard-link') {
      links.set(found.path, found.linkPath);
      return false;
    }
    return readable(found, wanting);
  }

  function readable(found: LayerEntry, wanting: readonly Cataloger[]): boolean {
    const most = Math.min(limits.capturedFileBytes, Math.max(...wanting.map(contentLimit)));
    if (found.sparse) gap(`${found.path} is stored as a sparse file and was not read`);
    else if (found.size > most)
      gap(`${found.path} (${found.size} bytes) is over the limit of ${most} and was not read`);
    return !found.sparse && found.size <= most;
  }

  async function read(found: CatalogedFile, bytes: Uint8Array): Promise<void> {
    for (const cataloger of readers(found)) {
      if (cataloger.reads === 'name') continue;
      if (bytes.length > cataloger.maxBytes) gap(`${found.path} is over the limit of ${cataloger.id} and was not read`);
      else if (cataloger.companionOf) held.add(found.path, bytes, cataloger);
      else keep(found.path, await cataloger.parse(found.path, bytes, NONE));
    }
  }

  function linkVisitor(): LayerVisitor | undefined {
    if (links.size === 0) return undefined;
    const targets = new Map<string, string[]>();
    for (const path of links.keys()) {
      const target = finalTarget(links, path);
      targets.set(target, [...(targets.get(target) ?? []), path]);
    }
    return {
      entry(found) {
        const paths = found.kind === 'file' ? (targets.get(found.path) ?? []) : [];
        const wanting = paths.flatMap((path) => readers({ ...found, path }));
        return wanting.length > 0 && readable(found, wanting);
      },
      async file(found, bytes) {
        for (const path of targets.get(found.path) ?? []) {
          links.delete(path);
          await read({ ...found, path }, bytes);
        }
      },
    };
  }

  async function facts(version: string, unpackedBytes: number): Promise<LayerFacts> {
    for (const [path, target] of links) gap(`${path} links to ${target}, whose content the layer does not show`);
    for (const [path, wanting] of named) {
      for (const cataloger of wanting) keep(path, await cataloger.parse(path, EMPTY, NONE));
    }
    for (const { path, bytes, companions, cataloger } of held.whole()) {
      keep(path, await cataloger.parse(path, bytes, companions));
    }
    return {
      version,
      unpackedBytes,
      files: [...files].map(([path, found]) => ({ path, facts: found })),
      whiteouts: [...whiteouts],
      opaques: [...opaques],
      occupied: occupied.encode(),
      gaps: [...gaps],
    };
  }

  function readers(found: CatalogedFile): Cataloger[] {
    return catalogers.filter((cataloger) => cataloger.wants(found));
  }

  function keep(path: string, found: readonly Fact[]): void {
    const kept = found.map((fact) => (fact.kind === 'owns' ? { ...fact, paths: fact.paths.filter(matters) } : fact));
    account(JSON.stringify(kept));
    files.set(path, [...(files.get(path) ?? []), ...kept]);
  }

  /** Of the files that a package owns only those count that could be evidence of another package. */
  function matters(path: string): boolean {
    return readers({ path, size: 1, executable: true }).length > 0;
  }

  function account(text: string): void {
    chars += text.length;
    if (chars <= limits.factsChars) return;
    throw new AppError('layer-bomb', `the layer tells more than ${limits.factsChars} characters of package facts`);
  }

  function gap(message: string): void {
    if (gaps.size < MAX_GAPS) gaps.add(message);
  }

  return { visitor: { entry, file: read }, linkVisitor, facts };
}

function contentLimit({ reads, maxBytes }: Cataloger): number {
  return reads === 'name' ? -1 : maxBytes;
}

/** The file behind a chain of hard links. A ring, which no real archive has, ends where it closes. */
function finalTarget(links: ReadonlyMap<string, string>, path: string): string {
  const passed = new Set([path]);
  let target = links.get(path) ?? path;
  for (let next = links.get(target); next !== undefined && !passed.has(target); next = links.get(target)) {
    passed.add(target);
    target = next;
  }
  return target;
}
