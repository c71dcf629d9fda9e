import { resolve } from 'node:path';
import { type Digest, isDigest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { isTag, parseImageRef, splitReference } from '#model/image-ref.ts';

/** One side of a copy, as a person writes it. Without tag and digest it is a whole repository. */
export type Endpoint = (
  | { readonly kind: 'registry'; readonly registry: string; readonly repository: string }
  /** One OCI image layout in a folder. */
  | { readonly kind: 'layout'; readonly path: string }
) & { readonly tag?: string; readonly digest?: Digest };

const LAYOUT = 'oci:';

/**
 * `registry/repository[:tag][@digest]`, or `oci:FOLDER[:tag][@digest]`.
 * @throws AppError `reference-invalid`.
 */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith(LAYOUT)) return parseLayout(text);
  const { registry, repository, digest } = parseImageRef(text);
  const { tag } = splitReference(text);
  return {
    kind: 'registry',
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function parseLayout(text: string): Endpoint {
  const at = text.lastIndexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = text.slice(LAYOUT.length, at < 0 ? undefined : at);
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const path = tagged ? named.slice(0, colon) : named;
  const tag = tagged ? named.slice(colon + 1) : undefined;
  if (path === '' || (tag !== undefined && !isTag(tag)) || (digest !== undefined && !isDigest(digest))) {
    throw new AppError('reference-invalid', `${JSON.stringify(text.slice(0, 300))} is no folder with an image`, {
      mend: 'write oci:FOLDER, oci:FOLDER:tag or oci:FOLDER@sha256:<64 hex digits>',
    });
  }
  return {
    kind: 'layout',
    path: resolve(path),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/**
 * A repository alone, as `--evidence` takes it.
 * @throws AppError `usage` when it has a tag or digest.
 */
export function parseRepository(text: string, flag: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint.tag === undefined && endpoint.digest === undefined) return endpoint;
  throw new AppError('usage', `${flag}: ${text} has a tag or digest`, { mend: 'name the repository alone' });
}
