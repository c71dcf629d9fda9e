import { createHash } from 'node:crypto';
import type { LogKey } from '#crypto/log-key.ts';
import { askPeer, type Peer, unbelievable } from '#signing/peer.ts';
import { keyDetails, unfitKey } from '#signing/rekor-key.ts';
import { readRekorV2Answer } from '#signing/rekor-v2-answer.ts';
import { existingEntry } from '#signing/rekor-v2-existing.ts';
import type { MadeSignature, SigningPlan, Witness } from '#signing/witness.ts';

export interface RekorV2Options {
  readonly id: string;
  /** Of the log, without `/api`. */
  readonly url: URL;
  readonly peer: Peer;
  /** The log's key; absent: only what needs no key is checked. */
  readonly log?: LogKey;
}

const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * A log of the second version of Rekor: a `hashedrekord` over SHA-256 of what the key signed, which is how the verifiers
 * rebuild the entry of a statement (interop K.1, 3). It tells no time, and the legacy layout has no place for it.
 */
export function createRekorV2Witness({ id, url, peer, log }: RekorV2Options): Witness {
  const base = new URL(`${url.href.replace(/\/$/, '')}/api/v2`);

  const known = { peer, ...(log ? { log } : {}) };

  function refusal({ publicKey }: SigningPlan): string | undefined {
    // A keyless signer's key is of the kind that every log takes.
    return publicKey && keyDetails(publicKey) === undefined ? unfitKey(publicKey) : undefined;
  }

  async function testify(made: MadeSignature, signal?: AbortSignal) {
    const answer = await askPeer(peer, {
      method: 'POST',
      url: new URL(`${base.href}/log/entries`),
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ hashedRekordRequestV002: hashedRekord(made) }),
      expect: [200, 201, 409],
      maxBytes: MAX_ANSWER_BYTES,
      signal,
    });
    const { bytes } = answer.status === 409 ? { bytes: await existingEntry(base, answer, known, signal) } : answer;
    const reading = readRekorV2Answer(bytes, made, log);
    if (!reading.ok) throw unbelievable(peer, reading.problem);
    return { rekorV2: [reading.entry] };
  }

  return {
    id,
    type: 'rekor-v2',
    ...(log ? { log } : {}),
    serves: ({ layouts }) => layouts.has('bundle'),
    refusal,
    testify,
  };
}

function hashedRekord(made: MadeSignature): object {
  const { certificate, publicKey } = made;
  const rawBytes = certificate
    ? { x509Certificate: { rawBytes: Buffer.from(certificate.raw).toString('base64') } }
    : { publicKey: { rawBytes: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') } };
  return {
    digest: createHash('sha256').update(made.signed).digest('base64'),
    signature: {
      content: Buffer.from(made.signature).toString('base64'),
      verifier: { ...rawBytes, keyDetails: keyDetails(publicKey) },
    },
  };
}
