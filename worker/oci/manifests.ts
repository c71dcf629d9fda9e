import type { HttpResponse } from '#http/client.ts';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, isDigest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { IMAGE_INDEXES, IMAGE_MANIFESTS } from '#model/media-types.ts';
import { isMediaType } from '#oci/descriptor.ts';
import { checkPushedManifest } from '#oci/pushed-manifest.ts';
import { type RegistryCall, type RegistryConnection, repositoryUrl } from '#oci/registry-connection.ts';
import { discard } from '#oci/registry-errors.ts';
import type { Access } from '#oci/scope.ts';
import { checkStoredManifest } from '#oci/stored-manifest.ts';
import type { Fetcher, Resolver, StoredManifest } from '#oci/target.ts';

/** A manifest as a registry serves it. */
export interface ServedManifest extends StoredManifest {
  /** Strong entity tag (RFC 9110 8.8.3), for a write on the condition that nothing has changed. */
  readonly etag?: string;
}

export interface ManifestWrite {
  readonly repository: string;
  /** A tag, or the manifest's own digest. */
  readonly reference: string;
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  /** Written only while this still is the entity tag. */
  readonly ifMatch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ManifestWritten {
  readonly descriptor: Descriptor;
  /** The subject whose referrers the registry itself now lists this manifest with (header `OCI-Subject`). */
  readonly subject?: Digest;
}

/**
 * The manifests of a registry, each call one request (OCI distribution-spec, pulling, pushing and deleting manifests).
 */
export interface Manifests extends Resolver, Pick<Fetcher, 'manifest'> {
  serve(repository: string, reference: string, signal?: AbortSignal): Promise<ServedManifest>;
  /** @throws AppError `write-conflict` when `ifMatch` does not hold any more. */
  write(write: ManifestWrite): Promise<ManifestWritten>;
  remove(repository: string, digest: Digest, signal?: AbortSignal): Promise<void>;
}

/** What a registry answers that does not know HEAD. */
const HEAD_UNKNOWN: readonly number[] = [400, 405, 501];

const PRECONDITION_FAILED = 412;

const ACCEPT = [...IMAGE_MANIFESTS, ...IMAGE_INDEXES].join(', ');

export function createManifests(connection: RegistryConnection): Manifests {
  const { name, limits, memo } = connection;

  async function resolve(repository: string, reference: string, signal?: AbortSignal): Promise<Descriptor> {
    const call = manifestCall('HEAD', repository, reference, 'resolving', signal);
    const response = await connection.expect(call, 200, ...HEAD_UNKNOWN);
    await discard(response, 0);
    const told = response.status === 200 ? toldDescriptor(response) : undefined;
    // Some registries leave out the digest.
    if (told === undefined) return (await serve(repository, reference, signal)).descriptor;
    if (isDigest(reference) && told.digest !== reference) {
      throw new AppError('digest-mismatch', `${name}: asked for ${reference}, the registry answered ${told.digest}`);
    }
    return told;
  }

  async function serve(repository: string, reference: string, signal?: AbortSignal): Promise<ServedManifest> {
    const call = manifestCall('GET', repository, reference, 'reading', signal);
    const response = await connection.expect(call, 200);
    const bytes = await response.bytes(limits.manifestBytes);
    const mediaType = mediaTypeOf(response);
    const digest = response.headers['docker-content-digest'];
    const stored = checkStoredManifest(bytes, { reference, mediaType, digest });
    const { etag } = response.headers;
    return etag !== undefined && STRONG_ETAG.test(etag) ? { ...stored, etag } : stored;
  }

  async function write(manifest: ManifestWrite): Promise<ManifestWritten> {
    const { repository, reference, bytes, mediaType, ifMatch, signal } = manifest;
    const descriptor = checkPushedManifest(reference, bytes, mediaType, limits.manifestBytes);
    const call: RegistryCall = {
      ...manifestCall('PUT', repository, reference, 'writing', signal),
      headers: { 'content-type': mediaType, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
      body: bytes,
      ...(isDigest(reference) ? {} : { writesTag: reference }),
    };
    const response = await connection.send(call);
    if (![201, 202, 200].includes(response.status)) {
      const error = await connection.failure(call, response);
      if (ifMatch === undefined || response.status !== PRECONDITION_FAILED || error.code === 'tag-immutable')
        throw error;
      throw new AppError('write-conflict', `${name}: ${reference} of ${repository} changed in between`, {
        cause: error,
      });
    }
    await discard(response, limits.errorBytes);
    const told = response.headers['docker-content-digest'];
    // A registry that stores other bytes than it was given breaks every reference by digest.
    if (isDigest(told) && told !== descriptor.digest && told !== sha256(bytes)) {
      throw new AppError('digest-mismatch', `${name}: wrote ${descriptor.digest}, the registry stored ${told}`);
    }
    const subject = response.headers['oci-subject'];
    return isDigest(subject) ? { descriptor, subject } : { descriptor };
  }

  async function remove(repository: string, digest: Digest, signal?: AbortSignal): Promise<void> {
    const call = manifestCall('DELETE', repository, digest, 'deleting', signal);
    const response = await connection.expect(call, 202, 200, 204);
    await discard(response, limits.errorBytes);
    memo.learn(name, repository, 'deletes', true);
  }

  function manifestCall(
    method: 'GET' | 'HEAD' | 'PUT' | 'DELETE',
    repository: string,
    reference: string,
    verb: string,
    signal: AbortSignal | undefined,
  ): RegistryCall {
    return {
      method,
      url: repositoryUrl(connection, repository, `manifests/${reference}`),
      headers: { accept: ACCEPT },
      access: { repository, actions: ACTIONS[method] },
      what: `${verb} manifest ${reference} of ${repository}`,
      signal,
    };
  }

  return {
    resolve,
    serve,
    write,
    remove,
    async manifest(repository, reference, signal) {
      const { descriptor, bytes } = await serve(repository, reference, signal);
      return { descriptor, bytes };
    },
  };
}

const STRONG_ETAG = /^"[\x21\x23-\x7e]{0,512}"$/;

const ACTIONS: Readonly<Record<'GET' | 'HEAD' | 'PUT' | 'DELETE', Access['actions']>> = {
  GET: 'pull',
  HEAD: 'pull',
  PUT: 'pull,push',
  DELETE: 'delete',
};

/** What the headers of a HEAD tell, when they tell all of it. */
function toldDescriptor(response: HttpResponse): Descriptor | undefined {
  const digest = response.headers['docker-content-digest'];
  const mediaType = mediaTypeOf(response);
  const length = response.headers['content-length'] ?? '';
  if (!isDigest(digest) || mediaType === undefined || !/^[1-9]\d{0,14}$/.test(length)) return undefined;
  return { mediaType, digest, size: Number(length) };
}

function mediaTypeOf(response: HttpResponse): string | undefined {
  const mediaType = response.headers['content-type']?.split(';')[0]?.trim();
  return isMediaType(mediaType) ? mediaType : undefined;
}
