import type { ConfiguredSigner } from '#signing/signer.ts';
import { type Attestor, exactly } from '#verification/attestor.ts';

const attestors = new WeakMap<ConfiguredSigner, Attestor>();

/**
 * Who is believed where nothing else is configured: the signer's own key, or its own root by the strict reading. One
 * object for a signer whose material stays, so that what is judged under it is known again.
 */
export function signerAttestor(signer: ConfiguredSigner): Attestor {
  if (signer.kind === 'keyless') return attestorOf(signer);
  const attestor = attestors.get(signer) ?? attestorOf(signer);
  attestors.set(signer, attestor);
  return attestor;
}

function attestorOf(signer: ConfiguredSigner): Attestor {
  if (signer.kind === 'keyless') {
    return {
      kind: 'certificate-chain',
      authorities: signer.authorities(),
      identity: { subject: exactly(signer.identity.subject), issuer: exactly(signer.identity.issuer) },
      profile: 'strict',
      transparencyLog: 'ignored',
      certificateTimestamp: 'ignored',
    };
  }
  const root = signer.chain.at(-1);
  if (!root) {
    return { kind: 'public-key', key: signer.publicKey, profile: 'strict', transparencyLog: 'ignored' };
  }
  return {
    kind: 'certificate-chain',
    authorities: [{ anchors: [root], intermediates: signer.chain.slice(1, -1) }],
    profile: 'strict',
    transparencyLog: 'ignored',
    certificateTimestamp: 'ignored',
  };
}
