import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import type { Digest } from '#model/digest.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { SIGSTORE_BUNDLE } from '#model/media-types.ts';

/** One verdict of a tool on an image that has bundles. */
export interface BundleCheck {
  readonly tool: string;
  readonly outcome: 'pass' | 'fail' | 'error';
  /** Of cosign: its command line without the image. */
  readonly args?: readonly string[];
  /** Of Kyverno. */
  readonly policy?: string;
  /** The trusted root of the tool's own, beside the command line. */
  readonly trustedRoot?: string;
  readonly unfetched?: true;
}

export interface BundleCase {
  readonly id: string;
  readonly digest: Digest;
  /** Manifests that refer to the image, in the order of the registry. */
  readonly referrers: readonly Digest[];
  /** Manifest at cosign's tag of attestations. */
  readonly att?: Digest;
  /** How the registry behaved otherwise than most. */
  readonly registry?: object;
  /** What our strict reading says, where it differs from a tool's. */
  readonly strict?: 'pass' | 'fail' | 'error';
  readonly checks: readonly BundleCheck[];
}

interface Corpus {
  readonly cases: readonly BundleCase[];
  readonly policies: Readonly<Record<string, string>>;
  readonly manifests: Readonly<Record<string, string>>;
  readonly blobs: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<string, string>>;
}

const FILE = new URL('../fixtures/verdicts/bundles.json.br', import.meta.url);
const corpus: Corpus = JSON.parse(brotliDecompressSync(readFileSync(FILE)).toString('utf8'));

export const bundleCases = corpus.cases;

/** The text of a recorded policy. */
export function bundlePolicy(name: string): string {
  return corpus.policies[name] ?? '';
}

/** A file that a command line or tool names. */
export function corpusKey(name: string): string {
  const text = corpus.keys[name];
  if (text === undefined) throw new Error(`${name} is not in the corpus`);
  return text;
}

/** A manifest or blob of the corpus by its digest. */
export function corpusBytes(digest: Digest): Buffer | undefined {
  const text = corpus.manifests[digest.slice(7)] ?? corpus.blobs[digest.slice(7)];
  return text === undefined ? undefined : Buffer.from(text);
}

/** A referrer as its manifest describes it. */
export interface Referrer {
  readonly artifactType: string;
  readonly layers: readonly RawEvidence[];
}

export function referrersOf({ digest, referrers }: BundleCase): readonly Referrer[] {
  const location = { registry: 'registry.test', repository: 'case', digest };
  return referrers.map((manifestDigest) => {
    const manifest = JSON.parse(corpus.manifests[manifestDigest.slice(7)] ?? '{}');
    const layers = (manifest.layers ?? []).map((descriptor: RawEvidence['descriptor']): RawEvidence => {
      const text = corpus.blobs[descriptor.digest.slice(7)];
      const bytes = text === undefined ? {} : { bytes: Buffer.from(text) };
      return { location, layout: 'bundle', manifestDigest, descriptor, ...bytes };
    });
    return { artifactType: manifest.artifactType ?? manifest.config?.mediaType ?? '', layers };
  });
}

/** The bundles as cosign finds them: one layer, by its media type. */
export function bundlesOf(recorded: BundleCase): readonly RawEvidence[] {
  return referrersOf(recorded).flatMap(({ layers }) => {
    const [layer, ...more] = layers;
    return layer && more.length === 0 && layer.descriptor.mediaType.startsWith(SIGSTORE_BUNDLE) ? [layer] : [];
  });
}
