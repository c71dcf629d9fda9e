import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, isDigest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { refuseDeepPath } from '#oci/capabilities.ts';
import { type RegistryConnection, repositoryUrl } from '#oci/registry-connection.ts';
import { discard } from '#oci/registry-errors.ts';
import type { Fetcher, Pusher } from '#oci/target.ts';

/** Writes blobs to a registry: POST, then one PUT (OCI distribution-spec, pushing a blob monolithically). */
export function createBlobWriter(
  connection: RegistryConnection,
  { hasBlob }: Pick<Fetcher, 'hasBlob'>,
): Pick<Pusher, 'pushBlob'> {
  const { name, baseUrl, limits } = connection;

  async function pushBlob(
    repository: string,
    bytes: Uint8Array,
    mediaType: string,
    signal?: AbortSignal,
  ): Promise<Descriptor> {
    refuseDeepPath(connection, repository);
    const digest = sha256(bytes);
    const descriptor = { mediaType, digest, size: bytes.byteLength };
    if (await hasBlob(repository, digest, signal)) return descriptor;
    const access = { repository, actions: 'pull,push' } as const;
    const what = `writing blob ${digest} of ${repository}`;
    const begun = await connection.expect(
      { method: 'POST', url: repositoryUrl(connection, repository, 'blobs/uploads/'), access, what, signal },
      202,
    );
    await discard(begun, limits.errorBytes);
    const url = uploadUrl(begun.headers.location, digest, what);
    const timeoutMs = limits.blobBaseMs + Math.ceil(bytes.byteLength / limits.blobBytesPerSecond) * 1000;
    const headers = { 'content-type': 'application/octet-stream' };
    const written = await connection.expect(
      { method: 'PUT', url, headers, body: bytes, access, what, signal, timeoutMs },
      201,
      204,
    );
    await discard(written, limits.errorBytes);
    const told = written.headers['docker-content-digest'];
    if (isDigest(told) && told !== digest && told.startsWith('sha256:')) {
      throw new AppError('digest-mismatch', `${name}: wrote blob ${digest}, the registry stored ${told}`);
    }
    return descriptor;
  }

  /**
   * Where the session's bytes go: relative, or absolute on the registry itself, its query kept. The address gets our
   * credentials, so that no other host is followed. A registry behind a proxy that ends TLS may say http of itself; it
   * is reached as before.
   */
  function uploadUrl(location: string | undefined, digest: Digest, what: string): URL {
    const url = URL.parse(location ?? '', baseUrl.href);
    if (!url || !location) throw new AppError('registry-protocol', `${name}: ${what}: no Location for the upload`);
    if (url.host !== baseUrl.host) {
      throw new AppError('host-not-allowed', `${name}: ${what}: the upload was sent to another host, ${url.host}`);
    }
    // Appended as text: an opaque state must come back as it was written.
    return new URL(`${url.pathname}${url.search || '?'}${url.search && '&'}digest=${digest}`, baseUrl);
  }

  return { pushBlob };
}
