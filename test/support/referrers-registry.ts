import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDigest, sha256 } from '#model/digest.ts';
import { OCI_INDEX } from '#model/media-types.ts';
import { RegistryStore } from './registry-store.ts';

/** How a registry refuses. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** What a registry does; may be changed while it runs. */
export interface RegistryManner {
  /** Whether it lists referrers, and what it answers when it does not. */
  referrers: 'api' | Refusal;
  /** Descriptors on a page of referrers. */
  pageSize: number;
  /** Whether it tells with `OCI-Subject` that it took the subject over. */
  tellsSubject: boolean;
  /** The refusal of a write to a tag that is there; absent: tags move. */
  immutable: Refusal | undefined;
  /** Bytes that a repository may hold, and how more of them are refused. */
  quota: { readonly bytes: number; readonly refusal: Refusal } | undefined;
  deletes: boolean;
  /** Seconds that the next caller is told to wait; absent: nobody is. */
  throttled: number | undefined;
  /** Whether it gives entity tags and minds `If-Match`. */
  conditional: boolean;
}

/** A registry in this process with the referrers API of the OCI distribution specification 1.1. */
export interface ReferrersRegistry extends AsyncDisposable {
  /** `localhost:PORT`. */
  readonly host: string;
  readonly url: URL;
  readonly manner: RegistryManner;
  readonly store: RegistryStore;
  /** `METHOD /path` of each request. */
  readonly requests: readonly string[];
  /** Once, before the next request whose `METHOD /path` matches is served. */
  before(pattern: RegExp, act: () => void | Promise<void>): void;
}

const NOT_FOUND: Refusal = { status: 404, code: 'NOT_FOUND', message: 'no such thing' };
const UNSUPPORTED: Refusal = { status: 405, code: 'UNSUPPORTED', message: 'The operation is unsupported.' };
const MAX_BODY = 64 * 1024 * 1024;

export async function startReferrersRegistry(given: Partial<RegistryManner> = {}): Promise<ReferrersRegistry> {
  const manner: RegistryManner = {
    referrers: 'api',
    pageSize: 1000,
    tellsSubject: true,
    immutable: undefined,
    quota: undefined,
    deletes: true,
    throttled: undefined,
    conditional: false,
    ...given,
  };
  const store = new RegistryStore();
  const requests: string[] = [];
  const hooks: { pattern: RegExp; act: () => void | Promise<void> }[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`;
    const body = await bodyOf(request);
    requests.push(line);
    const at = hooks.findIndex(({ pattern }) => pattern.test(line));
    const [hook] = at < 0 ? [] : hooks.splice(at, 1);
    await hook?.act();
    const url = new URL(request.url ?? '', 'http://registry.test');
    const [, repository = '', kind, rest = ''] =
      /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|referrers|tags)\/(.*)$/.exec(url.pathname) ?? [];
    const method = request.method ?? '';
    const call = { method, headers: request.headers, repository, rest, url, body, manner, store };
    const wait = manner.throttled;
    manner.throttled = undefined;
    if (wait !== undefined) {
      response.writeHead(429, { 'retry-after': String(wait) });
      response.end();
      return;
    }
    const answer = url.pathname === '/v2/' ? { status: 200 } : (HANDLERS[kind ?? '']?.(call) ?? refused(NOT_FOUND));
    const length = answer.body?.length ?? 0;
    response.writeHead(answer.status, { 'content-length': length, ...answer.headers });
    response.end(method === 'HEAD' ? undefined : answer.body);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://localhost:${(server.address() as AddressInfo).port}/`);
  return {
    host: url.host,
    url,
    manner,
    store,
    requests,
    before: (pattern, act) => void hooks.push({ pattern, act }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Call {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly repository: string;
  /** What follows the kind in the path. */
  readonly rest: string;
  readonly url: URL;
  readonly body: Buffer;
  readonly manner: RegistryManner;
  readonly store: RegistryStore;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

const HANDLERS: Readonly<Record<string, (call: Call) => Answer>> = {
  'blobs/uploads': upload,
  blobs: blob,
  manifests,
  referrers,
  tags: ({ repository, store }) => json(200, { name: repository, tags: store.tags(repository) }),
};

function upload({ method, repository, rest, url, body, manner, store }: Call): Answer {
  const mounted =
    method === 'POST' && store.blob(url.searchParams.get('from') ?? '', url.searchParams.get('mount') ?? '');
  if (mounted) return { status: 201, headers: { 'docker-content-digest': store.putBlob(repository, mounted) } };
  if (method === 'POST') return { status: 202, headers: uploadAt(repository, store.beginUpload()) };
  const bytes = store.continueUpload(rest, body);
  if (method === 'PATCH') return { status: 202, headers: uploadAt(repository, rest) };
  store.endUpload(rest);
  if (manner.quota && isOver(manner.quota.bytes, store, repository, bytes)) return refused(manner.quota.refusal);
  if (url.searchParams.get('digest') !== sha256(bytes)) {
    return refused({ status: 400, code: 'DIGEST_INVALID', message: 'other bytes' });
  }
  return { status: 201, headers: { 'docker-content-digest': store.putBlob(repository, bytes) } };
}

function uploadAt(repository: string, id: string): Readonly<Record<string, string>> {
  return { location: `/v2/${repository}/blobs/uploads/${id}?state=a` };
}

function blob({ repository, rest, store }: Call): Answer {
  const bytes = store.blob(repository, rest);
  return bytes ? { status: 200, body: bytes } : refused({ status: 404, code: 'BLOB_UNKNOWN', message: 'unknown' });
}

function manifests(call: Call): Answer {
  const { method, repository, rest, manner, store } = call;
  if (method === 'PUT') return putManifest(call);
  const manifest = store.manifest(repository, rest);
  if (!manifest) return refused({ status: 404, code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' });
  if (method === 'DELETE') {
    if (!manner.deletes || !isDigest(rest)) return refused(UNSUPPORTED);
    store.delete(repository, rest);
    return { status: 202 };
  }
  const { bytes, mediaType, digest } = manifest;
  const etag = manner.conditional ? { etag: `"${digest}"` } : {};
  return { status: 200, headers: { 'content-type': mediaType, 'docker-content-digest': digest, ...etag }, body: bytes };
}

function putManifest({ headers, repository, rest, body, manner, store }: Call): Answer {
  const standing = store.manifest(repository, rest);
  const wanted = headers['if-match'];
  if (manner.conditional && wanted !== undefined && wanted !== `"${standing?.digest}"`) {
    return refused({ status: 412, code: 'PRECONDITION', message: 'the tag has moved' });
  }
  const moves = standing !== undefined && !isDigest(rest) && standing.digest !== sha256(body);
  if (manner.immutable && moves) return refused(manner.immutable);
  if (manner.quota && isOver(manner.quota.bytes, store, repository, body)) return refused(manner.quota.refusal);
  const [missing] = store.missing(repository, body);
  if (missing) return refused({ status: 404, code: 'MANIFEST_BLOB_UNKNOWN', message: missing });
  const { digest } = store.putManifest(repository, rest, body, headers['content-type'] ?? '');
  const subject = JSON.parse(body.toString()).subject?.digest;
  const told = subject !== undefined && manner.referrers === 'api' && manner.tellsSubject;
  return { status: 201, headers: { 'docker-content-digest': digest, ...(told ? { 'oci-subject': subject } : {}) } };
}

function referrers({ repository, rest, url, manner, store }: Call): Answer {
  if (manner.referrers !== 'api') return refused(manner.referrers);
  const wanted = url.searchParams.get('artifactType');
  const all = store
    .referrers(repository, rest)
    .filter(({ artifactType }) => wanted === null || artifactType === wanted);
  const from = Number(url.searchParams.get('from') ?? 0);
  const next = from + manner.pageSize;
  return json(
    200,
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests: all.slice(from, next) },
    {
      'content-type': OCI_INDEX,
      ...(next < all.length ? { link: `<${url.pathname}?from=${next}>; rel="next"` } : {}),
      ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }),
    },
  );
}

function isOver(limit: number, store: RegistryStore, repository: string, body: Buffer): boolean {
  return store.size(repository) + body.length > limit;
}

function refused({ status, code, message }: Refusal): Answer {
  return json(status, { errors: [{ code, message }] });
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error('a body over the limit of this registry');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
