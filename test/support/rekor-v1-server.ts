import { createPublicKey, X509Certificate } from 'node:crypto';
import { pae, parseEnvelope, verifySignature } from '#crypto/dsse.ts';
import { leafHash } from '#crypto/merkle.ts';
import { sha256Hex } from '#model/digest.ts';
import { type HttpServer, json, type ServedAnswer, type ServedRequest, serveHttp } from './http-server.ts';
import { verifiesDigest } from './prehashed.ts';
import { canonicalJson, createSignedLog } from './signed-log.ts';

export interface RekorServer extends HttpServer {
  /** PEM of the log's key. */
  readonly pem: string;
}

/** A log of Rekor v1: it checks each signature, keeps an entry once, and proves that it is there. */
export async function startRekorV1({ now }: { readonly now: () => Date }): Promise<RekorServer> {
  const log = createSignedLog('ec', 'rekor.test - 42');
  const logID = sha256Hex(log.publicKey.export({ type: 'spki', format: 'der' }));
  const times: number[] = [];
  const shift = 1000;

  function uuidOf(index: number): string {
    return leafHash(log.leaves[index] ?? Buffer.alloc(0)).toString('hex');
  }

  function entry(index: number): object {
    const body = (log.leaves[index] ?? Buffer.alloc(0)).toString('base64');
    const logIndex = index + shift;
    const promised = canonicalJson({ body, integratedTime: times[index], logID, logIndex });
    const inclusionProof = {
      checkpoint: log.checkpoint(),
      hashes: log.path(index).map((hash) => hash.toString('hex')),
      logIndex: index,
      rootHash: log.root().toString('hex'),
      treeSize: log.leaves.length,
    };
    const signedEntryTimestamp = log.sign(Buffer.from(promised)).toString('base64');
    const verification = { inclusionProof, signedEntryTimestamp };
    return { [uuidOf(index)]: { body, integratedTime: times[index], logID, logIndex, verification } };
  }

  function handle({ method, path, body }: ServedRequest): ServedAnswer {
    const [, uuid] = /^\/api\/v1\/log\/entries\/([0-9a-f]{64})$/.exec(path) ?? [];
    if (method === 'GET' && uuid) {
      const index = log.leaves.findIndex((_leaf, at) => uuidOf(at) === uuid);
      return index < 0 ? json(404, { code: 404, message: 'not found' }) : json(200, entry(index));
    }
    if (method !== 'POST' || path !== '/api/v1/log/entries') return json(404, { code: 404, message: 'no such path' });
    const canonical = canonicalEntry(JSON.parse(body.toString()));
    if (typeof canonical === 'string') return json(400, { code: 400, message: canonical });
    const { index, isNew } = log.append(Buffer.from(canonicalJson(canonical)));
    const location = `/api/v1/log/entries/${uuidOf(index)}`;
    if (!isNew) return json(409, { code: 409, message: 'an equivalent entry already exists' }, { location });
    times.push(Math.floor(now().getTime() / 1000));
    return json(201, entry(index), { location });
  }

  return { ...(await serveHttp(handle)), pem: log.pem };
}

interface Proposal {
  readonly kind: string;
  readonly apiVersion: string;
  readonly spec: {
    readonly proposedContent: { readonly envelope: string; readonly verifiers: readonly [string] };
    readonly data: { readonly hash: { readonly algorithm: string; readonly value: string } };
    readonly signature: { readonly content: string; readonly publicKey: { readonly content: string } };
  };
}

/** What is logged of a proposal; a text says why it is refused. */
function canonicalEntry({ kind, apiVersion, spec }: Proposal): object | string {
  if (apiVersion !== '0.0.1') return 'unknown version';
  if (kind === 'hashedrekord') {
    const { data, signature } = spec;
    const signer = keyOf(Buffer.from(signature.publicKey.content, 'base64').toString());
    const isSigned = verifiesDigest(
      signer,
      Buffer.from(data.hash.value, 'hex'),
      Buffer.from(signature.content, 'base64'),
    );
    return isSigned ? { apiVersion, kind, spec: { data, signature } } : 'bad signature';
  }
  if (kind !== 'dsse') return 'unknown kind';
  const { envelope, verifiers } = spec.proposedContent;
  const parsed = parseEnvelope(Buffer.from(envelope));
  if (!parsed.ok) return 'no envelope';
  const { payloadType, payload, signatures } = parsed.envelope;
  const key = keyOf(Buffer.from(verifiers[0], 'base64').toString());
  const [signature] = signatures;
  if (!signature || !verifySignature(key, pae(payloadType, payload), signature.signature)) return 'bad signature';
  return {
    apiVersion,
    kind,
    spec: {
      envelopeHash: { algorithm: 'sha256', value: sha256Hex(envelope) },
      payloadHash: { algorithm: 'sha256', value: sha256Hex(payload) },
      signatures: [{ signature: Buffer.from(signature.signature).toString('base64'), verifier: verifiers[0] }],
    },
  };
}

function keyOf(pem: string) {
  return pem.includes('CERTIFICATE') ? new X509Certificate(pem).publicKey : createPublicKey(pem);
}
