import { parseCertificates } from '#crypto/parse-certificate.ts';
import { Secret } from '#model/secret.ts';
import type { IdentityProvider } from '#signing/identity/provider.ts';
import { createKeylessSigner, type KeylessSignerOptions } from '#signing/keyless.ts';
import type { KeylessSigner } from '#signing/signer.ts';
import { FULCIO_PKI, startFulcio } from './fulcio-server.ts';
import { startIdentityIssuer, type TokenSpec } from './identity-issuer.ts';
import { makePki } from './pki.ts';
import { startWitnesses } from './signing-ground.ts';

export const WORKER = 'worker@attestry.test';

/** A Fulcio with its issuer, two logs and a timestamp authority, on one clock. */
export async function startKeyless() {
  const stack = new AsyncDisposableStack();
  const witnesses = stack.use(await startWitnesses());
  const { clock } = witnesses;
  const issuer = stack.use(await startIdentityIssuer(clock));
  const pki = makePki(FULCIO_PKI);
  const fulcio = stack.use(await startFulcio({ pki, issuer, now: clock.now }));
  const peer = witnesses.peer(fulcio.host);
  const authority = {
    anchors: parseCertificates(pki.root.pem),
    intermediates: parseCertificates(pki.intermediate.pem),
  };

  function provider(spec: TokenSpec | (() => string) = { email: WORKER }): IdentityProvider {
    const mint = typeof spec === 'function' ? spec : () => issuer.token(spec);
    return { source: 'the test', token: async () => new Secret(mint(), 'test') };
  }

  return {
    ...witnesses,
    issuer,
    pki,
    fulcio,
    provider,
    authority,
    /** A signer of the address `WORKER`, changed as told. */
    signer(change: Partial<KeylessSignerOptions> & { readonly version?: 1 | 2 } = {}): KeylessSigner {
      const { version = 2, ...options } = change;
      return createKeylessSigner({
        id: 'pipeline',
        fulcio: { url: new URL(fulcio.url), version, peer },
        provider: provider(),
        audience: 'sigstore',
        identity: { subject: WORKER, issuer: issuer.url },
        trust: () => ({ authorities: [authority] }),
        witnesses: witnesses.known,
        ...options,
      });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
export type KeylessGround = Awaited<ReturnType<typeof startKeyless>>;
