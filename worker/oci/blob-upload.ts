import { Readable } from 'node:stream';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, isDigest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { refuseDeepPath } from '#oci/capabilities.ts';
import { type RegistryCall, type RegistryConnection, repositoryUrl } from '#oci/registry-connection.ts';
import { discard } from '#oci/registry-errors.ts';
import type { BlobTaker, Fetcher, Pusher } from '#oci/target.ts';

/** Writes blobs to a registry: POST, then one PUT (OCI distribution-spec, pushing a blob monolithically). */
export function createBlobWriter(
  connection: RegistryConnection,
  { hasBlob }: Pick<Fetcher, 'hasBlob'>,
): Pick<Pusher, 'pushBlob'> & BlobTaker {
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
    await upload(repository, descriptor, async () => bytes, signal);
    return descriptor;
  }

  async function takeBlob(
    repository: string,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    open: () => Promise<Readable>,
    signal?: AbortSignal,
  ): Promise<void> {
    refuseDeepPath(connection, repository);
    try {
      await upload(repository, descriptor, open, signal);
    } catch (error) {
      // A token that ended in between cannot be renewed below a stream that was sent.
      if (!(error instanceof AppError) || error.code !== 'registry-unauthorized') throw error;
      await upload(repository, descriptor, open, signal);
    }
  }

  async function upload(
    repository: string,
    { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
    open: () => Promise<Uint8Array | Readable>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const access = { repository, actions: 'pull,push' } as const;
    const what = `writing blob ${digest} of ${repository}`;
    const begun = await connection.expect(
      { method: 'POST', url: repositoryUrl(connection, repository, 'blobs/uploads/'), access, what, signal },
      202,
    );
    await discard(begun, limits.errorBytes);
    const url = uploadUrl(begun.headers.location, digest, what);
    const timeoutMs = limits.blobBaseMs + Math.ceil(size / limits.blobBytesPerSecond) * 1000;
    const body = await open();
    const headers = {
      'content-type': 'application/octet-stream',
      ...(body instanceof Readable ? { 'content-length': String(size) } : {}),
    };
    try {
      // A registry hashes and moves what it got before it answers.
      const call: RegistryCall = { method: 'PUT', url, headers, body, access, what, signal, timeoutMs };
      const written = await connection.expect({ ...call, headersTimeoutMs: timeoutMs }, 201, 204);
      await discard(written, limits.errorBytes);
      checkStored(digest, written.headers['docker-content-digest']);
    } finally {
      if (body instanceof Readable) body.destroy();
    }
  }

  function checkStored(digest: Digest, told: string | undefined): void {
    if (!isDigest(told) || told === digest || told.split(':')[0] !== digest.split(':')[0]) return;
    throw new AppError('digest-mismatch', `${name}: wrote blob ${digest}, the registry stored ${told}`);
  }

  async function mountBlob(repository: string, digest: Digest, from: string, signal?: AbortSignal): Promise<boolean> {
    refuseDeepPath(connection, repository);
    const url = repositoryUrl(connection, repository, 'blobs/uploads/');
    url.search = new URLSearchParams({ mount: digest, from }).toString();
    const response = await connection.send({
      method: 'POST',
      url,
      access: { repository, actions: 'pull,push', mountsFrom: from },
      what: `mounting blob ${digest} of ${from} in ${repository}`,
      signal,
    });
    await discard(response, limits.errorBytes);
    // 202 begins an upload instead; what it refuses here, the upload will refuse with its reason.
    return response.status === 201;
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

  return { pushBlob, takeBlob, mountBlob };
}
