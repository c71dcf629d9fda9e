import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type HttpServer, serveHttp } from './http-server.ts';
import { canonicalJson } from './signed-log.ts';

export interface Publication {
  readonly target: Uint8Array | string;
  /** Of timestamp, snapshot and targets. */
  readonly expires?: Date;
  /** Of the root. */
  readonly rootExpires?: Date;
  /** Signs with another key than that of the root. */
  readonly forged?: boolean;
}

export interface TufMirror extends HttpServer {
  /** The first root metadata: what an operator hands out. */
  readonly root: Buffer;
  publish(publication: Publication): void;
  /** Rolls the root's key over. */
  rotate(): void;
}

const FAR = new Date('2045-01-01T00:00:00Z');

/** A TUF repository (TUF specification, 4) of one key a time, with consistent snapshots, behind a real server. */
export async function startTufMirror(first: Publication): Promise<TufMirror> {
  const files = new Map<string, Buffer>();
  let version = 0;
  let rootVersion = 1;
  let owner = createKey();

  function put(path: string, signed: object, signers: readonly TufKey[]): { version: number } {
    const bytes = Buffer.from(olpcJson(signed));
    const signatures = signers.map(({ id, key }) => ({ keyid: id, sig: sign('sha256', bytes, key).toString('hex') }));
    files.set(path, Buffer.from(JSON.stringify({ signatures, signed })));
    return { version };
  }

  function publishRoot(expires: Date, signers: readonly TufKey[]): void {
    const role = { keyids: [owner.id], threshold: 1 };
    const roles = { root: role, timestamp: role, snapshot: role, targets: role };
    const keys = { [owner.id]: owner.public };
    const header = { _type: 'root', spec_version: '1.0.31', version: rootVersion, expires: iso(expires) };
    put(`/${rootVersion}.root.json`, { ...header, consistent_snapshot: true, keys, roles }, signers);
  }

  function publish({ target, expires = FAR, forged = false }: Publication): void {
    version += 1;
    const by = [forged ? { ...createKey(), id: owner.id } : owner];
    const header = { spec_version: '1.0.31', version, expires: iso(expires) };
    const bytes = Buffer.from(target);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    files.set(`/targets/${sha256}.trusted_root.json`, bytes);
    const targets = { 'trusted_root.json': { length: bytes.length, hashes: { sha256 } } };
    const listed = put(`/${version}.targets.json`, { _type: 'targets', ...header, targets }, by);
    const meta = { 'targets.json': listed };
    const snapshot = put(`/${version}.snapshot.json`, { _type: 'snapshot', ...header, meta }, by);
    put('/timestamp.json', { _type: 'timestamp', ...header, meta: { 'snapshot.json': snapshot } }, by);
  }

  publishRoot(first.rootExpires ?? FAR, [owner]);
  const root = files.get('/1.root.json') ?? Buffer.alloc(0);
  publish(first);
  const server = await serveHttp(({ path }) => {
    const body = files.get(path);
    return body ? { status: 200, body } : { status: 404 };
  });
  return {
    ...server,
    root,
    publish,
    rotate() {
      const before = owner;
      owner = createKey();
      rootVersion += 1;
      publishRoot(FAR, [before, owner]);
    },
  };
}

interface TufKey {
  readonly id: string;
  readonly key: KeyObject;
  readonly public: object;
}

function createKey(): TufKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyval = { public: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
  const tufKey = { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval };
  return { id: createHash('sha256').update(olpcJson(tufKey)).digest('hex'), key: privateKey, public: tufKey };
}

/** TUF's times have no fractions. */
function iso(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** TUF's canonical JSON leaves the line ends of a PEM as they are. */
function olpcJson(value: unknown): string {
  return canonicalJson(value).replaceAll('\\n', '\n');
}
