import type { SignerKind } from '#model/layout-choice.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';

/** What verifiers make a difference of. */
export function signerKind(signer: ConfiguredSigner): SignerKind {
  if (signer.kind === 'keyless') return 'keyless';
  return signer.chain.length > 0 ? 'x509' : 'key';
}
