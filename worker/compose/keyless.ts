import type { SignerFiles } from '#compose/signer-files.ts';
import { keylessAttestor } from '#compose/signer-trust.ts';
import type { LoadedWitness } from '#compose/witnesses.ts';
import { buildkiteProvider } from '#signing/identity/buildkite.ts';
import { clientCredentialsProvider } from '#signing/identity/client-credentials.ts';
import { githubProvider } from '#signing/identity/github.ts';
import type { IdentityProvider } from '#signing/identity/provider.ts';
import { storedTokenProvider } from '#signing/identity/stored-token.ts';
import { createKeylessSigner } from '#signing/keyless.ts';
import type { KeylessTrust } from '#signing/keyless-certificate.ts';
import type { IdentityTokenOptions, KeylessSignerOptions } from '#signing/options.ts';
import type { Peer } from '#signing/peer.ts';
import type { KeylessSigner } from '#signing/signer.ts';
import type { CertificateAttestor } from '#verification/attestor.ts';

const CODES: Peer['codes'] = {
  refused: 'ca-refused',
  unavailable: 'ca-unavailable',
  throttled: 'ca-throttled',
  protocol: 'ca-protocol',
};

/** How long the environment of a job may take to answer, where nothing else is configured. */
const AMBIENT_TIMEOUT_MS = 30_000;

/** A keyless signer, and who is believed of what it signs. */
export interface KeylessIdentity {
  readonly signer: KeylessSigner;
  readonly trust: CertificateAttestor;
}

/**
 * One keyless signer. No token is asked for: many are there only when something is signed.
 * @throws AppError `config-invalid` without a trust of certificates, or a witness that tells the time.
 */
export async function loadKeylessSigner(
  option: KeylessSignerOptions,
  witnesses: readonly LoadedWitness[],
  files: SignerFiles,
): Promise<KeylessIdentity> {
  const { id, fulcio, identity, token } = option;
  const url = new URL(fulcio.url);
  const peer: Peer = {
    name: `Fulcio (${url.host})`,
    http: await files.outbound.client({ ...fulcio, hosts: [url.host] }),
    timeoutMs: fulcio.timeout,
    codes: CODES,
    now: files.now,
  };
  const trust = keylessAttestor(option, files.trusts.get(option.trust), witnesses);
  const signer = createKeylessSigner({
    id,
    fulcio: { url, version: fulcio.version, peer },
    provider: await identityProvider(token, files),
    audience: token.audience,
    identity,
    trust: () => caOf(trust),
    witnesses: witnesses.map(({ witness }) => witness),
  });
  return { signer, trust };
}

function caOf({ authorities, certificateTimestamp, certificateLogKeys }: CertificateAttestor): KeylessTrust {
  const isAsked = certificateTimestamp === 'required' && certificateLogKeys !== undefined;
  return { authorities, ...(isAsked ? { certificateLogs: certificateLogKeys } : {}) };
}

async function identityProvider(option: IdentityTokenOptions, files: SignerFiles): Promise<IdentityProvider> {
  const { secrets, now, outbound } = files;
  const { audience } = option;
  switch (option.from) {
    case 'file':
      return storedTokenProvider(`file:${option.path}`, secrets);
    case 'spiffe':
      return storedTokenProvider(`file:${option.path}`, secrets, 'spiffe://');
    case 'gitlab':
      return storedTokenProvider(`env:${option.variable}`, secrets);
    case 'github': {
      const http = await outbound.client({ hosts: 'any' });
      return githubProvider({ audience, http, secrets, timeoutMs: AMBIENT_TIMEOUT_MS, now });
    }
    case 'buildkite': {
      const agent = option.agent === undefined ? {} : { agent: option.agent };
      return buildkiteProvider({ audience, timeoutMs: option.timeout, ...agent });
    }
    case 'client-credentials': {
      const { tokenUrl, ...rest } = option;
      const issuer = new URL(option.issuer);
      const named = tokenUrl === undefined ? {} : { tokenUrl: new URL(tokenUrl) };
      const hosts = [issuer.host, ...(named.tokenUrl ? [named.tokenUrl.host] : [])];
      const http = await outbound.client({ ...option, hosts });
      return clientCredentialsProvider({ ...rest, ...named, issuer, http, secrets, timeoutMs: option.timeout, now });
    }
  }
}
