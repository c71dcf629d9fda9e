import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Digest, sha256 } from '#model/digest.ts';

/** Answers a request its own way; returning `'next'` leaves it to the next one, and in the end to the registry itself. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => 'next' | undefined;

export interface FakeRegistrySettings {
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** A registry in this process, correct until told otherwise. It reads; it takes no uploads of its own. */
export interface FakeRegistry {
  /** `localhost:PORT`. */
  readonly host: string;
  readonly url: URL;
  /** `METHOD /path` of each request. */
  readonly requests: readonly string[];
  /** The `Authorization` header of each request. */
  readonly authorizations: readonly (string | undefined)[];
  addBlob(bytes: Uint8Array): Digest;
  addManifest(reference: string, bytes: Uint8Array, mediaType: string): Digest;
  /** Requests whose `METHOD /path` matches are answered so, the last added first. */
  misbehave(pattern: RegExp, how: Misbehaviour): void;
  /** Answers a request as a registry does; for those that were held back. */
  serve(request: IncomingMessage, response: ServerResponse): void;
  /** As `misbehave`, with this status and the registry error envelope. */
  fail(pattern: RegExp, status: number, headers?: Readonly<Record<string, string>>, code?: string): void;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface StoredManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: Digest;
}

export async function startFakeRegistry({ tls }: FakeRegistrySettings = {}): Promise<FakeRegistry> {
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, StoredManifest>();
  const misbehaviours: { pattern: RegExp; how: Misbehaviour }[] = [];
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];

  function handle(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    authorizations.push(request.headers.authorization);
    for (const { pattern, how } of misbehaviours) {
      if (pattern.test(line) && how(request, response) !== 'next') return;
    }
    serve(request, response);
  }

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const [, kind, name = ''] = /\/(manifests|blobs)\/([^/?]+)$/.exec(request.url ?? '') ?? [];
    const manifest = kind === 'manifests' ? manifests.get(name) : undefined;
    const blob = kind === 'blobs' ? blobs.get(name) : undefined;
    if (manifest) {
      response.setHeader('docker-content-digest', manifest.digest);
      response.setHeader('content-type', manifest.mediaType);
    }
    const bytes = manifest?.bytes ?? blob;
    if (bytes === undefined) {
      sendError(response, 404, {}, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
      return;
    }
    response.setHeader('content-length', bytes.byteLength);
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }

  const server = tls ? createTlsServer({ cert: tls.certificate, key: tls.key }, handle) : createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = new URL(`${tls ? 'https' : 'http'}://localhost:${port}/`);
  async function stop(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return {
    host: url.host,
    url,
    requests,
    authorizations,
    serve,
    addBlob(bytes) {
      const digest = sha256(bytes);
      blobs.set(digest, bytes);
      return digest;
    },
    addManifest(reference, bytes, mediaType) {
      const digest = sha256(bytes);
      for (const name of [reference, digest]) manifests.set(name, { bytes, mediaType, digest });
      return digest;
    },
    misbehave(pattern, how) {
      misbehaviours.unshift({ pattern, how });
    },
    fail(pattern, status, headers = {}, code = 'UNKNOWN') {
      misbehaviours.unshift({ pattern, how: (_, response) => sendError(response, status, headers, code) });
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function sendError(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  code: string,
): undefined {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: `the fake registry says ${code}`, detail: null }] }));
}
