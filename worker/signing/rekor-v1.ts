import type { LogKey } from '#crypto/log-key.ts';
import { sha256Hex } from '#model/digest.ts';
import { askPeer, type Peer, type PeerAnswer, unbelievable } from '#signing/peer.ts';
import { keyDetails, unfitKey } from '#signing/rekor-key.ts';
import { readRekorV1Answer } from '#signing/rekor-v1-answer.ts';
import type { MadeSignature, SigningPlan, Witness } from '#signing/witness.ts';
import { refuseStrangeTime } from '#signing/witnessed-time.ts';

export interface RekorV1Options {
  readonly id: string;
  /** Of the log, without `/api`. */
  readonly url: URL;
  readonly peer: Peer;
  /** The log's key; absent: only what needs no key is checked. */
  readonly log?: LogKey;
  /** Bytes of one request that the log, or what stands before it, takes. */
  readonly maxRequestBytes: number;
}

/** An entry keeps hashes, signature and certificate; its proof a few kilobytes more. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Envelope in JSON in JSON, and what stands around it. */
const OVERHEAD_BYTES = 32 * 1024;

/**
 * A log of the first version of Rekor. A statement is logged as `dsse` with the exact bytes of its envelope, whose hash
 * legacy verifiers compare (interop A.1.4); an image signature as `hashedrekord`.
 */
export function createRekorV1Witness({ id, url, peer, log, maxRequestBytes }: RekorV1Options): Witness {
  const entries = new URL(`${url.href.replace(/\/$/, '')}/api/v1/log/entries`);

  function refusal({ what, payloadBytes, publicKey }: SigningPlan): string | undefined {
    if (what === 'image-signature' && publicKey && keyDetails(publicKey) === undefined) return unfitKey(publicKey);
    const request = what === 'statement' ? Math.ceil(payloadBytes / 3) * 4 + OVERHEAD_BYTES : OVERHEAD_BYTES;
    if (request <= maxRequestBytes) return undefined;
    return `it takes requests of ${maxRequestBytes} bytes, and this one would have about ${request}`;
  }

  async function testify(made: MadeSignature, signal?: AbortSignal) {
    const answer = await askPeer(peer, {
      method: 'POST',
      url: entries,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(made.what === 'statement' ? dsse(made) : hashedRekord(made)),
      expect: [200, 201, 409],
      maxBytes: MAX_ANSWER_BYTES,
      signal,
    });
    // The same bytes signed by the same key are the same entry: of a try whose answer was lost, or of one long ago.
    const isOld = answer.status === 409;
    const { bytes } = isOld ? await existingEntry(answer, signal) : answer;
    const reading = readRekorV1Answer(bytes, made, log);
    if (!reading.ok) throw unbelievable(peer, reading.problem);
    refuseStrangeTime(peer.name, reading.time, made, isOld ? undefined : peer.now());
    return { rekorV1: [reading.entry] };
  }

  async function existingEntry({ headers }: PeerAnswer, signal: AbortSignal | undefined): Promise<PeerAnswer> {
    // Only the name of the entry is taken: a log does not choose where we go.
    const [, uuid] = /\/([0-9a-f]{64}|[0-9a-f]{80})$/.exec(headers.location ?? '') ?? [];
    if (uuid === undefined) throw unbelievable(peer, 'it has the entry already, and does not say where');
    return await askPeer(peer, {
      method: 'GET',
      url: new URL(`${entries.href}/${uuid}`),
      headers: { accept: 'application/json' },
      expect: [200],
      maxBytes: MAX_ANSWER_BYTES,
      signal,
    });
  }

  return { id, type: 'rekor-v1', ...(log ? { log } : {}), serves: () => true, refusal, testify };
}

function dsse(made: MadeSignature): object {
  const envelope = Buffer.from(made.stored).toString('utf8');
  const proposedContent = { envelope, verifiers: [verifierOf(made)] };
  return { kind: 'dsse', apiVersion: '0.0.1', spec: { proposedContent } };
}

function hashedRekord(made: MadeSignature): object {
  const signature = {
    content: Buffer.from(made.signature).toString('base64'),
    publicKey: { content: verifierOf(made) },
  };
  const data = { hash: { algorithm: 'sha256', value: sha256Hex(made.payload) } };
  return { kind: 'hashedrekord', apiVersion: '0.0.1', spec: { signature, data } };
}

function verifierOf({ certificate, publicKey }: MadeSignature): string {
  const pem = certificate?.pem ?? publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return Buffer.from(pem).toString('base64');
}
