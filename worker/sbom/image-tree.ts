import { AppError } from '#model/errors.ts';
import type { Fact } from '#sbom/fact.ts';
import type { LayerFacts } from '#sbom/layer-facts.ts';
import { ancestors, parentPath } from '#sbom/layer-path.ts';
import { decodePathHashes, pathHash } from '#sbom/path-hashes.ts';

/** A fact that the finished image still shows, and the lowest layer since which it holds without a break. */
export interface ImageFact {
  readonly path: string;
  /** Place of the layer in the manifest. */
  readonly layer: number;
  readonly fact: Fact;
}

/** The files with facts of an image, layer upon layer, as a container would see them. */
export interface ImageTree {
  /** Lays the next layer on top. @throws AppError `layer-bomb` when the image has too many files with facts. */
  apply(layer: number, facts: LayerFacts): void;
  facts(): Iterable<ImageFact>;
}

export function createImageTree(maxFiles: number): ImageTree {
  const files = new Map<string, readonly ImageFact[]>();
  const children = new Map<string, Set<string>>();
  // Paths and folders of paths by their hash: finds at once what a layer's files take the place of.
  const byHash = new Map<number, string>();

  function apply(layer: number, facts: LayerFacts): void {
    const before = new Map(facts.files.map(({ path }) => [path, files.get(path) ?? []]));
    // All that a layer hides belongs to the layers below it, wherever the markers stand in the archive.
    for (const path of facts.whiteouts) remove(path);
    for (const folder of facts.opaques) for (const child of children.get(folder) ?? []) remove(child);
    for (const hash of decodePathHashes(facts.occupied)) {
      const path = byHash.get(hash);
      if (path !== undefined) remove(path);
    }
    for (const file of facts.files) add(layer, file.path, file.facts, before.get(file.path) ?? []);
    if (files.size > maxFiles) {
      throw new AppError('layer-bomb', `the image holds more than ${maxFiles} files of package evidence`);
    }
  }

  function add(layer: number, path: string, facts: readonly Fact[], before: readonly ImageFact[]): void {
    const origins = new Map(before.map((known) => [JSON.stringify(known.fact), known.layer]));
    files.set(
      path,
      facts.map((fact) => ({ path, fact, layer: origins.get(JSON.stringify(fact)) ?? layer })),
    );
    byHash.set(pathHash(path), path);
    let child = path;
    for (const folder of ancestors(path)) {
      // A folder stands where a file was.
      files.delete(folder);
      attach(folder, child);
      child = folder;
    }
    attach('', child);
  }

  function attach(folder: string, child: string): void {
    const known = children.get(folder) ?? new Set();
    children.set(folder, known.add(child));
    byHash.set(pathHash(folder), folder);
  }

  function remove(path: string): void {
    children.get(parentPath(path))?.delete(path);
    const doomed = [path];
    for (let next = doomed.pop(); next !== undefined; next = doomed.pop()) {
      files.delete(next);
      byHash.delete(pathHash(next));
      doomed.push(...(children.get(next) ?? []));
      children.delete(next);
    }
  }

  function* all(): Generator<ImageFact> {
    for (const facts of files.values()) yield* facts;
  }

  return { apply, facts: all };
}
