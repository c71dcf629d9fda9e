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
import type { Deleter, Fetcher, Pusher, Resolver } from '#oci/target.ts';

/** The manifests of a registry (OCI distribution-spec, pulling, pushing and deleting manifests). */
export type Manifests = Resolver & Pick<Fetcher, 'manifest'> & Pick<Pusher, 'pushManifest'> & Deleter;

/** What a registry answers that does not know HEAD. */
const HEAD_UNKNOWN: readonly number[] = [400, 405, 501];

const ACCEPT = [...IMAGE_MANIFESTS, ...IMAGE_INDEXES].join(', ');

export function createManifests(connection: RegistryConnection): Manifests {
  const { name, limits } = connection;

  async function resolve(repository: string, reference: string, signal?: AbortSignal): Promise<Descriptor> {
    const call = manifestCall('HEAD', repository, reference, 'resolving', signal);
    const response = await connection.expect(call, 200, ...HEAD_UNKNOWN);
    await discard(response, 0);
    const told = response.status === 200 ? toldDescriptor(response) : undefined;
    // Some registries leave out the digest.
    if (told === undefined) return (await manifest(repository, reference, signal)).descriptor;
    if (isDigest(reference) && told.digest !== reference) {
      throw new AppError('digest-mismatch', `${name}: asked for ${reference}, the registry answered ${told.digest}`);
    }
    return told;
  }

  async function manifest(repository: string, reference: string, signal?: AbortSignal) {
    const call = manifestCall('GET', repository, reference, 'reading', signal);
    const response = await connection.expect(call, 200);
    const bytes = await response.bytes(limits.manifestBytes);
    const mediaType = mediaTypeOf(response);
    return checkStoredManifest(bytes, { reference, mediaType, digest: response.headers['docker-content-digest'] });
  }

  async function pushManifest(
    repository: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
    signal?: AbortSignal,
  ): Promise<Descriptor> {
    const descriptor = checkPushedManifest(reference, bytes, mediaType, limits.manifestBytes);
    const call = manifestCall('PUT', repository, reference, 'writing', signal);
    const response = await connection.expect(
      { ...call, headers: { 'content-type': mediaType }, body: bytes },
      201,
      202,
      200,
    );
    await discard(response, limits.errorBytes);
    const told = response.headers['docker-content-digest'];
    // A registry that stores other bytes than it was given breaks every reference by digest.
    if (isDigest(told) && told !== descriptor.digest && told !== sha256(bytes)) {
      throw new AppError('digest-mismatch', `${name}: wrote ${descriptor.digest}, the registry stored ${told}`);
    }
    return descriptor;
  }

  async function deleteManifest(repository: string, digest: Digest, signal?: AbortSignal): Promise<void> {
    const call = manifestCall('DELETE', repository, digest, 'deleting', signal);
    const response = await connection.expect(call, 202, 200, 204);
    await discard(response, limits.errorBytes);
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

  return { resolve, manifest, pushManifest, deleteManifest };
}

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
