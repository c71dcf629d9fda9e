import { type Digest, isDigest, sha256 } from '#model/digest.ts';

export interface KeptManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: Digest;
}

/** What one repository of a registry holds. */
interface Kept {
  readonly blobs: Map<Digest, Buffer>;
  readonly manifests: Map<Digest, KeptManifest>;
  readonly tags: Map<string, Digest>;
}

/** The content of a registry, by the rules of the OCI distribution specification. */
export class RegistryStore {
  readonly #repositories = new Map<string, Kept>();
  readonly #uploads = new Map<string, Buffer>();
  #begun = 0;

  #of(repository: string): Kept {
    const kept = this.#repositories.get(repository) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    this.#repositories.set(repository, kept);
    return kept;
  }

  beginUpload(): string {
    this.#begun += 1;
    return String(this.#begun);
  }

  /** Adds a part of a blob; answers all parts so far. */
  continueUpload(id: string, part: Buffer): Buffer {
    const bytes = Buffer.concat([this.#uploads.get(id) ?? Buffer.alloc(0), part]);
    this.#uploads.set(id, bytes);
    return bytes;
  }

  endUpload(id: string): void {
    this.#uploads.delete(id);
  }

  blob(repository: string, digest: string): Buffer | undefined {
    return isDigest(digest) ? this.#of(repository).blobs.get(digest) : undefined;
  }

  putBlob(repository: string, bytes: Buffer): Digest {
    const digest = sha256(bytes);
    this.#of(repository).blobs.set(digest, bytes);
    return digest;
  }

  dropBlob(repository: string, digest: Digest): void {
    this.#of(repository).blobs.delete(digest);
  }

  manifest(repository: string, reference: string): KeptManifest | undefined {
    const kept = this.#of(repository);
    const digest = isDigest(reference) ? reference : kept.tags.get(reference);
    return digest === undefined ? undefined : kept.manifests.get(digest);
  }

  putManifest(repository: string, reference: string, bytes: Buffer, mediaType: string): KeptManifest {
    const manifest = { bytes, mediaType, digest: sha256(bytes) };
    const kept = this.#of(repository);
    kept.manifests.set(manifest.digest, manifest);
    if (!isDigest(reference)) kept.tags.set(reference, manifest.digest);
    return manifest;
  }

  /** What a manifest names and the repository does not hold. */
  missing(repository: string, bytes: Buffer): readonly string[] {
    const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString());
    const kept = this.#of(repository);
    const blobs = [...(config ? [config] : []), ...layers].map(({ digest }) => digest);
    const children = manifests.map(({ digest }: { digest: Digest }) => digest);
    return [
      ...blobs.filter((digest) => !kept.blobs.has(digest)),
      ...children.filter((digest: Digest) => !kept.manifests.has(digest)),
    ];
  }

  delete(repository: string, digest: Digest): boolean {
    const kept = this.#of(repository);
    for (const [tag, named] of kept.tags) if (named === digest) kept.tags.delete(tag);
    return kept.manifests.delete(digest);
  }

  tags(repository: string): readonly string[] {
    return [...this.#of(repository).tags.keys()].sort();
  }

  /** Descriptors of the manifests that name this subject, in the order of their arrival. */
  referrers(repository: string, subject: string): readonly Record<string, unknown>[] {
    return [...this.#of(repository).manifests.values()].flatMap(({ bytes, mediaType, digest }) => {
      const body = JSON.parse(bytes.toString());
      if (body.subject?.digest !== subject) return [];
      const artifactType = body.artifactType ?? body.config?.mediaType;
      const { annotations } = body;
      return [{ mediaType, digest, size: bytes.length, artifactType, ...(annotations ? { annotations } : {}) }];
    });
  }

  /** Bytes of everything that is held. */
  size(repository: string): number {
    const { blobs, manifests } = this.#of(repository);
    return [...blobs.values(), ...[...manifests.values()].map(({ bytes }) => bytes)].reduce(
      (sum, b) => sum + b.length,
      0,
    );
  }
}
