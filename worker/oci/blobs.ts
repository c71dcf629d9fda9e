import type { Readable } from 'node:stream';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { type RegistryCall, type RegistryConnection, repositoryUrl } from '#oci/registry-connection.ts';
import { discard } from '#oci/registry-errors.ts';
import type { Fetcher } from '#oci/target.ts';
import { verifiedStream } from '#oci/verified-stream.ts';

/** Reads blobs of a registry (OCI distribution-spec, pulling blobs). */
export function createBlobReader(connection: RegistryConnection): Pick<Fetcher, 'blob' | 'hasBlob'> {
  const { name, limits } = connection;

  async function blob(
    repository: string,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    signal?: AbortSignal,
  ): Promise<Readable> {
    const { digest, size } = descriptor;
    const timeoutMs = limits.blobBaseMs + Math.ceil(size / limits.blobBytesPerSecond) * 1000;
    const call = { ...blobCall('GET', repository, digest, 'reading', signal), timeoutMs };
    const response = await connection.expect(call, 200);
    const told = response.headers['content-length'];
    if (told !== undefined && Number(told) !== size) {
      response.body.destroy();
      const text = `${name}: blob ${digest} of ${repository} has ${told} bytes, its descriptor says ${size}`;
      throw new AppError(Number(told) > size ? 'too-large' : 'layer-corrupt', text);
    }
    return verifiedStream(response.body, descriptor);
  }

  async function hasBlob(repository: string, digest: Digest, signal?: AbortSignal): Promise<boolean> {
    const call = blobCall('HEAD', repository, digest, 'looking for', signal);
    const response = await connection.send(call);
    if (response.status === 200 || response.status === 404) {
      await discard(response, 0);
      return response.status === 200;
    }
    throw await connection.failure(call, response);
  }

  function blobCall(
    method: 'GET' | 'HEAD',
    repository: string,
    digest: Digest,
    verb: string,
    signal: AbortSignal | undefined,
  ): RegistryCall {
    return {
      method,
      url: repositoryUrl(connection, repository, `blobs/${digest}`),
      access: { repository, actions: 'pull' },
      what: `${verb} blob ${digest} of ${repository}`,
      signal,
    };
  }

  return { blob, hasBlob };
}
