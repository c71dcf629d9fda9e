import { type Digest, isDigest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';

/** Where an image is: the registry as references write it, the repository path, and a tag, a digest or both. */
export interface ImageRef {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const HOST = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?$/;
const MAX_REPOSITORY = 255;

/** Repository name of the OCI distribution-spec ("Pulling manifests"). */
export function isRepository(text: string): boolean {
  return text.length <= MAX_REPOSITORY && REPOSITORY.test(text);
}

/** Tag of the OCI distribution-spec ("Pulling manifests"). */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** A registry host with an optional port. */
export function isRegistryHost(text: string): boolean {
  return HOST.test(text);
}

export interface SplitReference {
  readonly registry?: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

/**
 * Cuts a reference at its separators without judging the parts: first `@`, then the last `:` after the last `/`. The
 * first path component is a registry when it holds a dot or a colon or is `localhost`, as in the Docker reference
 * grammar.
 */
export function splitReference(text: string): SplitReference {
  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const name = tagged ? named.slice(0, colon) : named;
  const tag = tagged ? named.slice(colon + 1) : undefined;
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasHost = first === 'localhost' || /[.:]/.test(first);
  return {
    ...(hasHost ? { registry: first } : {}),
    path: hasHost ? name.slice(slash + 1) : name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/**
 * Parses an image reference as a person writes it on a command line. A name without a registry is Docker Hub's
 * (`nginx` is `docker.io/library/nginx`); a reference with neither tag nor digest means `latest`.
 * @throws AppError `reference-invalid` naming the part that is wrong.
 */
export function parseImageRef(text: string): ImageRef {
  const parts = splitReference(text);
  const registry = normaliseRegistry(parts.registry ?? 'docker.io');
  const repository = registry === 'docker.io' && !parts.path.includes('/') ? `library/${parts.path}` : parts.path;
  if (!isRegistryHost(registry)) throw invalid(text, `"${registry}" is not a registry host`);
  if (!isRepository(repository)) {
    const upper = repository !== repository.toLowerCase() ? ' (repository names are lower case)' : '';
    throw invalid(text, `"${repository}" is not a repository name${upper}`);
  }
  if (parts.tag !== undefined && !isTag(parts.tag)) throw invalid(text, `"${parts.tag}" is not a tag`);
  const digest = parts.digest;
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, `"${digest}" is not a digest`);
  const tag = parts.tag ?? (digest === undefined ? 'latest' : undefined);
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** `registry/repository[:tag][@digest]`. */
export function formatImageRef(ref: ImageRef): string {
  return `${ref.registry}/${ref.repository}${ref.tag ? `:${ref.tag}` : ''}${ref.digest ? `@${ref.digest}` : ''}`;
}

/** A repository in full: the registry's name and the path in it. */
export interface RepositoryRef {
  readonly registry: string;
  readonly repository: string;
}

/** Parses `registry/path` without tag or digest, as `COSIGN_REPOSITORY` and Kyverno's `repository` hold it. */
export function parseRepositoryRef(text: string): RepositoryRef {
  const parts = splitReference(text);
  if (parts.tag !== undefined || parts.digest !== undefined) {
    throw invalid(text, 'a repository has neither tag nor digest');
  }
  const ref = parseImageRef(text);
  return { registry: ref.registry, repository: ref.repository };
}

export function formatRepositoryRef(ref: RepositoryRef): string {
  return `${ref.registry}/${ref.repository}`;
}

function normaliseRegistry(host: string): string {
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

function invalid(text: string, why: string): AppError {
  return new AppError('reference-invalid', `image reference ${JSON.stringify(text.slice(0, 300))}: ${why}`, {
    mend: 'write registry/repository:tag or registry/repository@sha256:<64 hex digits>',
  });
}
