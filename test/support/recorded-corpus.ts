import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { brotliDecompressSync } from 'node:zlib';
import { type VerifyReport, verifyImage } from '#engine/verify.ts';
import { type Digest, isDigest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { RawEvidence } from '#model/evidence.ts';
import type { ImageRef } from '#model/image-ref.ts';
import { OCI_MANIFEST } from '#model/media-types.ts';
import type { Outcome } from '#model/verdict.ts';
import { parseManifest } from '#oci/manifest.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import { checkStoredManifest } from '#oci/stored-manifest.ts';
import type { Registries, StoredManifest, Target } from '#oci/target.ts';
import { compilePolicies } from '#policy/load.ts';
import { RECORDED_NOW, RECORDED_REGISTRY } from './recorded-verdicts.ts';

/** One verdict of the tool. */
export interface CorpusCheck {
  readonly policy: string;
  readonly outcome: Outcome;
  /** The image of the pod where it is not that of the case. */
  readonly image?: string;
  /** The tool failed because it could not reach something outside of the registry. */
  readonly unfetched?: true;
  readonly env?: Readonly<Record<string, string>>;
}

/** The evidence of one image, wherever the policies look for it. */
export interface CorpusCase {
  readonly id: string;
  readonly repository: string;
  readonly tag?: string;
  /** The pod names the digest too. */
  readonly pinned?: true;
  readonly digest?: Digest;
  /** `<repository>:att` or `<repository>:sig` to the digest of the manifest at that tag. */
  readonly evidence?: Readonly<Record<string, Digest>>;
  readonly checks: readonly CorpusCheck[];
}

interface Corpus {
  readonly cases: readonly CorpusCase[];
  readonly policies: Readonly<Record<string, string>>;
  /** Texts by SHA-256 in hex. */
  readonly manifests: Readonly<Record<string, string>>;
  readonly blobs: Readonly<Record<string, string>>;
}

const FILE = new URL('../fixtures/verdicts/cosign-type.json.br', import.meta.url);
const corpus: Corpus = JSON.parse(brotliDecompressSync(readFileSync(FILE)).toString('utf8'));

/** All recorded checks of ClusterPolicies of type Cosign that need no trusted root. */
export function corpusCases(): readonly CorpusCase[] {
  return corpus.cases;
}

/** Judges one recorded check through the engine, from the registry's bytes to the verdict. */
export async function judgeRecorded(recorded: CorpusCase, check: CorpusCheck): Promise<VerifyReport> {
  const text = corpus.policies[check.policy]?.replaceAll('REGISTRY', RECORDED_REGISTRY) ?? '';
  return await verifyImage(
    {
      image: imageOf(recorded, check),
      policies: compilePolicies(text, { source: check.policy }),
      ...limitOf(check),
    },
    { registries: registriesOf(recorded), now: () => RECORDED_NOW },
  );
}

function imageOf(recorded: CorpusCase, { image }: CorpusCheck): ImageRef {
  if (image !== undefined) return { registry: 'docker.io', repository: `library/${image}`, tag: 'latest' };
  const { repository, tag, pinned, digest } = recorded;
  const named = tag === undefined ? {} : { tag };
  return { registry: RECORDED_REGISTRY, repository, ...named, ...(pinned && digest ? { digest } : {}) };
}

function limitOf({ env }: CorpusCheck): { readonly maxAttachmentBytes?: number } {
  const [, amount, unit] = /^(\d+)(KiB|MiB)$/.exec(env?.COSIGN_MAX_ATTACHMENT_SIZE ?? '') ?? [];
  return amount === undefined ? {} : { maxAttachmentBytes: Number(amount) * (unit === 'KiB' ? 1024 : 1024 ** 2) };
}

function registriesOf(recorded: CorpusCase): Registries {
  const target = targetOf(recorded);
  return {
    nameOf: (host) => host,
    target: (host) => (host === RECORDED_REGISTRY ? target : OUTSIDE),
    close: async () => {},
  };
}

/** Any other registry: an image there has a digest, and the tools could fetch nothing. */
const OUTSIDE: Target = {
  ...createMemoryTarget(),
  resolve: async () => ({ mediaType: OCI_MANIFEST, digest: sha256('elsewhere'), size: 1 }),
  manifest: async () => {
    throw new AppError('network', 'it cannot be reached');
  },
};

/** The registry as it was recorded, holes in it included. */
function targetOf(recorded: CorpusCase): Target {
  function manifest(repository: string, reference: string): StoredManifest {
    const digest = isDigest(reference) ? reference : tagged(recorded, repository, reference);
    const text = digest === undefined ? undefined : corpus.manifests[digest.slice(7)];
    if (text === undefined || digest === undefined) throw new AppError('not-found', `${reference} is not there`);
    return checkStoredManifest(Buffer.from(text), { reference: digest });
  }
  return {
    ...createMemoryTarget(),
    async resolve(repository, reference) {
      const digest = isDigest(reference) ? reference : recorded.tag === reference ? recorded.digest : undefined;
      if (repository !== recorded.repository || digest === undefined || digest !== recorded.digest) {
        throw new AppError('not-found', `${reference} is not there`);
      }
      return { mediaType: OCI_MANIFEST, digest, size: 1 };
    },
    manifest: async (repository, reference) => manifest(repository, reference),
    async blob(_repository, { digest }) {
      const text = corpus.blobs[digest.slice(7)];
      if (text === undefined) throw new AppError('not-found', `${digest} is not there`);
      return Readable.from([Buffer.from(text)]);
    },
  };
}

function tagged({ evidence, digest }: CorpusCase, repository: string, tag: string): Digest | undefined {
  const [, hex, suffix] = /^sha256-([0-9a-f]{64})\.(att|sig)$/.exec(tag) ?? [];
  return digest === `sha256:${hex}` ? evidence?.[`${repository}:${suffix}`] : undefined;
}

/** The text of a recorded policy. */
export function corpusPolicy(name: string): string {
  return corpus.policies[name] ?? '';
}

/** The layers of a case's attestation tag, as the storage room reads them. */
export function corpusEvidence(id: string): readonly RawEvidence[] {
  const recorded = corpus.cases.find((each) => each.id === id);
  const manifestDigest = recorded?.evidence?.[`${recorded.repository}:att`];
  if (!recorded?.digest || !manifestDigest) throw new Error(`${id} has no attestations`);
  const location = { registry: RECORDED_REGISTRY, repository: recorded.repository, digest: recorded.digest };
  const manifest = parseManifest(
    checkStoredManifest(Buffer.from(corpus.manifests[manifestDigest.slice(7)] ?? ''), { reference: manifestDigest }),
  );
  const layers = manifest.kind === 'manifest' ? manifest.layers : [];
  return layers.map((descriptor) => {
    const bytes = Buffer.from(corpus.blobs[descriptor.digest.slice(7)] ?? '');
    return { location, layout: 'cosign-tag', manifestDigest, descriptor, bytes };
  });
}
