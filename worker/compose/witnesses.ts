import type { SignerFiles } from '#compose/signer-files.ts';
import { type LogKey, readLogKey } from '#crypto/log-key.ts';
import { splitTimestampAuthority, type TimestampAuthority } from '#crypto/timestamp-authority.ts';
import type { WitnessOptions } from '#signing/options.ts';
import type { Peer } from '#signing/peer.ts';
import { createRekorV1Witness } from '#signing/rekor-v1.ts';
import { createRekorV2Witness } from '#signing/rekor-v2.ts';
import { createTimestampWitness } from '#signing/timestamp-authority.ts';
import type { Witness } from '#signing/witness.ts';

const CODES: Peer['codes'] = {
  refused: 'witness-refused',
  unavailable: 'witness-unavailable',
  throttled: 'witness-throttled',
  protocol: 'witness-protocol',
};

/** Bytes of the nonce of a timestamp request. */
const NONCE_BYTES = 16;

/** A configured witness, with what its testimony can be checked by. */
export interface LoadedWitness {
  readonly witness: Witness;
  readonly log?: LogKey;
  readonly authority?: TimestampAuthority;
}

/**
 * One configured witness.
 * @throws AppError when its key or certificates cannot be read.
 */
export async function loadWitness(option: WitnessOptions, files: SignerFiles): Promise<LoadedWitness> {
  const { id } = option;
  const url = new URL(option.url);
  const peer: Peer = {
    name: `witness ${id} (${url.host})`,
    http: await files.outbound.client({ ...option, hosts: [url.host] }),
    timeoutMs: option.timeout,
    codes: CODES,
    now: files.now,
  };
  switch (option.type) {
    case 'rekor': {
      // Logs of the second version name themselves by host and key, those of the first by the key alone.
      const origin = option.version === 2 ? (option.origin ?? url.hostname) : undefined;
      const log = option.key === undefined ? {} : { log: readLogKey(await text(option.key, files), origin) };
      if (option.version === 2) return { witness: createRekorV2Witness({ id, url, peer, ...log }), ...log };
      const maxRequestBytes = option.maxRequest;
      return { witness: createRekorV1Witness({ id, url, peer, ...log, maxRequestBytes }), ...log };
    }
    case 'timestamp-authority': {
      const { chain } = option;
      const authority = chain === undefined ? {} : { authority: splitTimestampAuthority(await text(chain, files)) };
      const nonce = () => files.randomBytes(NONCE_BYTES);
      return { witness: createTimestampWitness({ id, url, peer, ...authority, nonce }), ...authority };
    }
  }
}

async function text(path: string, files: SignerFiles): Promise<string> {
  return (await files.readFile(path)).toString('utf8');
}
