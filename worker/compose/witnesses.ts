import type { SignerFiles } from '#compose/signer-files.ts';
import { readLogKey } from '#crypto/log-key.ts';
import { splitTimestampAuthority } from '#crypto/timestamp-authority.ts';
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

/**
 * One configured witness.
 * @throws AppError when its key or certificates cannot be read.
 */
export async function loadWitness(option: WitnessOptions, files: SignerFiles): Promise<Witness> {
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
      const origin = option.origin ?? url.hostname;
      const log = option.key === undefined ? {} : { log: { ...readLogKey(await text(option.key, files)), origin } };
      if (option.version === 2) return createRekorV2Witness({ id, url, peer, ...log });
      return createRekorV1Witness({ id, url, peer, ...log, maxRequestBytes: option.maxRequest });
    }
    case 'timestamp-authority': {
      const { chain } = option;
      const authority = chain === undefined ? {} : { authority: splitTimestampAuthority(await text(chain, files)) };
      return createTimestampWitness({ id, url, peer, ...authority, nonce: () => files.randomBytes(NONCE_BYTES) });
    }
  }
}

async function text(path: string, files: SignerFiles): Promise<string> {
  return (await files.readFile(path)).toString('utf8');
}
