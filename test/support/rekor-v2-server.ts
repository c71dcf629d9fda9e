import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { leafHash } from '#crypto/merkle.ts';
import { type HttpServer, json, type ServedAnswer, type ServedRequest, serveHttp } from './http-server.ts';
import { verifiesDigest } from './prehashed.ts';
import { canonicalJson, createSignedLog } from './signed-log.ts';

export interface RekorV2Server extends HttpServer {
  /** PEM of the log's key. */
  readonly pem: string;
  /** Puts entries of others before ours. */
  fill(count: number): void;
}

/**
 * A log of Rekor v2: hashedrekord 0.0.2 alone, each signature checked against its digest, an entry kept once, and the
 * tree published as files (C2SP tlog-tiles). Its head signs as the host of its address, as Rekor does.
 */
export async function startRekorV2(): Promise<RekorV2Server> {
  const log = createSignedLog('ed25519', '127.0.0.1');
  const spki = log.publicKey.export({ type: 'spki', format: 'der' });
  const keyId = createHash('sha256')
    .update(Buffer.concat([Buffer.from('127.0.0.1\n\u0001'), spki.subarray(-32)]))
    .digest('base64');

  function entry(index: number): object {
    return {
      logIndex: String(index),
      logId: { keyId },
      kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
      integratedTime: '0',
      inclusionPromise: null,
      inclusionProof: {
        logIndex: String(index),
        rootHash: log.root().toString('base64'),
        treeSize: String(log.leaves.length),
        hashes: log.path(index).map((hash) => hash.toString('base64')),
        checkpoint: { envelope: log.checkpoint() },
      },
      canonicalizedBody: log.leaves[index]?.toString('base64'),
    };
  }

  function handle(request: ServedRequest): ServedAnswer {
    const { method, path, body } = request;
    if (method === 'GET') return file(path);
    if (method !== 'POST' || path !== '/api/v2/log/entries') return json(404, { message: 'no such path' });
    const { hashedRekordRequestV002: asked } = JSON.parse(body.toString());
    if (!asked) return json(400, { message: 'invalid type, must be hashedrekord' });
    const { content, verifier } = asked.signature;
    const digest = Buffer.from(asked.digest, 'base64');
    if (!verifiesDigest(keyOf(verifier), digest, Buffer.from(content, 'base64'))) {
      return json(400, { message: 'invalid hashedrekord request' });
    }
    const data = { algorithm: 'SHA2_256', digest: asked.digest };
    const spec = { hashedRekordV002: { data, signature: asked.signature } };
    const leaf = Buffer.from(canonicalJson({ apiVersion: '0.0.2', kind: 'hashedrekord', spec }));
    const { index, isNew } = log.append(leaf);
    if (isNew) return json(201, entry(index));
    return json(409, { message: 'an equivalent entry already exists' }, { 'x-log-index': String(index) });
  }

  function file(path: string): ServedAnswer {
    if (path === '/api/v2/checkpoint') return { status: 200, body: log.checkpoint() };
    const [, kind = '', place = '', width] =
      /^\/api\/v2\/tile\/(entries|\d+)\/([x\d/]+)(?:\.p\/(\d+))?$/.exec(path) ?? [];
    const at = Number(place.replace(/[x/]/g, '')) * 256;
    const parts = kind === 'entries' ? log.leaves.map(framed) : nodes(Number(kind));
    const tile = parts.slice(at, at + Number(width ?? 256));
    if (place === '' || tile.length !== Number(width ?? 256)) return { status: 404 };
    return { status: 200, body: Buffer.concat(tile) };
  }

  /** Roots of the complete subtrees of 256^level leaves. */
  function nodes(level: number): readonly Buffer[] {
    if (level === 0) return log.leaves.map(leafHash);
    const below = nodes(level - 1);
    return Array.from({ length: Math.floor(below.length / 256) }, (_, at) =>
      fold(below.slice(at * 256, at * 256 + 256)),
    );
  }

  return {
    ...(await serveHttp(handle)),
    pem: log.pem,
    fill: (count) => {
      for (let at = 0; at < count; at++) log.append(Buffer.from(`entry ${at} of somebody else`));
    },
  };
}

function fold(hashes: readonly Buffer[]): Buffer {
  const [first = Buffer.alloc(0)] = hashes;
  if (hashes.length === 1) return first;
  const half = hashes.length / 2;
  const pair = Buffer.concat([Buffer.from([1]), fold(hashes.slice(0, half)), fold(hashes.slice(half))]);
  return createHash('sha256').update(pair).digest();
}

function framed(leaf: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(leaf.length);
  return Buffer.concat([length, leaf]);
}

function keyOf({ x509Certificate, publicKey }: Readonly<Record<string, { readonly rawBytes: string } | undefined>>) {
  const bytes = Buffer.from((x509Certificate ?? publicKey)?.rawBytes ?? '', 'base64');
  return x509Certificate
    ? new X509Certificate(bytes).publicKey
    : createPublicKey({ key: bytes, format: 'der', type: 'spki' });
}
