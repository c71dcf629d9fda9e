import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { LOG_NAME, PORTS } from './endpoints.ts';
import type { StackKeys } from './stack-keys.ts';
import type { TrustFiles } from './trust-files.ts';

/** A TUF repository of one key, served over HTTP. */
export interface TufRepository {
  /** Its first root.json: what clients are told to begin with. */
  readonly root: string;
  stop(): Promise<void>;
}

/** Publishes the trusted root and, for clients that read keys one by one, those with their usage. */
export async function startTufRepository(keys: StackKeys, trust: TrustFiles): Promise<TufRepository> {
  const usage = (name: string) => ({ sigstore: { usage: name, status: 'Active' } });
  const files = new Map<string, Uint8Array | string>();
  const targets: Record<string, unknown> = {};
  for (const [name, path, custom] of [
    ['trusted_root.json', trust.trustedRoot],
    ['signing_config.v0.2.json', trust.signingConfig.rekor1],
    ['fulcio_v1.crt.pem', keys.fulcio.rootFile, usage('Fulcio')],
    ['fulcio_intermediate_v1.crt.pem', keys.fulcio.first, usage('Fulcio')],
    ['rekor.pub', keys.rekor1.publicKey, usage('Rekor')],
    ['ctfe.pub', keys.ctLog.publicKey, usage('CTFE')],
    ['tsa_leaf.crt.pem', keys.timestamps.first, usage('TSA')],
    ['tsa_root.crt.pem', keys.timestamps.rootFile, usage('TSA')],
  ] as const) {
    const bytes = await readFile(path);
    const sha256 = hash(bytes);
    files.set(`/targets/${sha256}.${name}`, bytes).set(`/targets/${name}`, bytes);
    targets[name] = { length: bytes.length, hashes: { sha256 }, ...(custom === undefined ? {} : { custom }) };
  }
  const root = publish(files, targets);
  const server = createServer((request, response) => {
    const body = files.get(request.url ?? '');
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(PORTS.tuf, LOG_NAME, resolve);
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { root, stop };
}

/** Adds the four roles of the specification, all by one key; answers the root. */
function publish(files: Map<string, Uint8Array | string>, targets: Readonly<Record<string, unknown>>): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const key = { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: pem } };
  const keyid = hash(canonical(key));
  const role = { keyids: [keyid], threshold: 1 };
  const header = { spec_version: '1.0.31', version: 1, expires: '2045-01-01T00:00:00Z' };
  const add = (name: string, signed: unknown) => {
    const text = JSON.stringify({ signatures: [{ keyid, sig: signHex(signed, privateKey) }], signed });
    files.set(`/${name}`, text);
    return { version: 1, length: Buffer.byteLength(text), hashes: { sha256: hash(text) } };
  };
  const roles = { root: role, timestamp: role, snapshot: role, targets: role };
  add('1.root.json', { _type: 'root', ...header, consistent_snapshot: true, keys: { [keyid]: key }, roles });
  const listed = add('1.targets.json', { _type: 'targets', ...header, targets });
  const snapshot = add('1.snapshot.json', { _type: 'snapshot', ...header, meta: { 'targets.json': listed } });
  add('timestamp.json', { _type: 'timestamp', ...header, meta: { 'snapshot.json': snapshot } });
  const root = String(files.get('/1.root.json'));
  files.set('/root.json', root);
  return root;
}

function signHex(signed: unknown, key: KeyObject): string {
  return sign('sha256', Buffer.from(canonical(signed)), key).toString('hex');
}

function hash(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** OLPC's canonical JSON: sorted names, no spaces, and only quotes and backslashes escaped. */
function canonical(value: unknown): string {
  if (typeof value === 'string') return `"${value.replace(/[\\"]/g, '\\$&')}"`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${canonical(name)}:${canonical(member)}`).join(',')}}`;
}
