import { generateKeyPairSync } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { type Fulcio, requestCertificate } from '#signing/fulcio.ts';
import type { IdentityProvider } from '#signing/identity/provider.ts';
import { type IdentityToken, readIdentityToken } from '#signing/identity/token.ts';
import { judgeCertificate, type KeylessTrust } from '#signing/keyless-certificate.ts';
import { signBytes } from '#signing/sign-bytes.ts';
import type { KeylessSigner, SignerIdentity, SigningCredential } from '#signing/signer.ts';
import type { Witness } from '#signing/witness.ts';

export interface KeylessSignerOptions {
  readonly id: string;
  readonly fulcio: Fulcio;
  readonly provider: IdentityProvider;
  /** That identity tokens must be for; Fulcio's is `sigstore`. */
  readonly audience: string;
  /** Whom the certificate must name: what verifiers ask for. */
  readonly identity: SignerIdentity;
  /** Asked at each use: trust that comes by TUF changes. */
  trust(): KeylessTrust;
  readonly witnesses: readonly Witness[];
}

/** Left of a certificate's life when it is no more used: its witnesses must see the signature while it is valid. */
const MARGIN_MS = 3 * 60_000;

/**
 * A signer by identity: an ephemeral P-256 key, certified by Fulcio for the holder of an identity token.
 *
 * Key and certificate serve every signature of the next minutes, until three are left of the certificate's life. That
 * is safe: all these signatures are of one identity anyway, the key never leaves this memory, and whoever could read it
 * here could as well ask for a certificate of his own. It spares the CA, and its public log, one entry for each.
 * @throws AppError `config-invalid` without a witness that tells the time.
 */
export function createKeylessSigner(options: KeylessSignerOptions): KeylessSigner {
  const { id, identity, witnesses } = options;
  refuseTimeless(id, witnesses);
  let current: Certified | undefined;
  let pending: Promise<Certified> | undefined;

  function isFit({ leaf }: Certified): boolean {
    return leaf.notAfter.getTime() - options.fulcio.peer.now().getTime() > MARGIN_MS;
  }

  async function renew(): Promise<Certified> {
    try {
      current = await certify(options);
      return current;
    } finally {
      pending = undefined;
    }
  }

  async function credential(signal?: AbortSignal): Promise<SigningCredential> {
    if (current && isFit(current)) return current.credential;
    // One request for all who wait; whoever of them gives up must not end it for the others.
    pending ??= renew();
    return (await abortable(pending, signal)).credential;
  }

  return {
    kind: 'keyless',
    id,
    fingerprint: identityFingerprint(identity),
    identity,
    witnesses,
    authorities: () => options.trust().authorities,
    credential,
  };
}

/** How records name a signer whose keys change: the same for the same identity, in every process and for ever. */
export function identityFingerprint({ subject, issuer }: SignerIdentity): string {
  return sha256Hex(JSON.stringify(['keyless', issuer, subject]));
}

interface Certified {
  readonly leaf: Certificate;
  readonly credential: SigningCredential;
}

async function certify({ fulcio, provider, audience, identity, trust }: KeylessSignerOptions): Promise<Certified> {
  const { peer } = fulcio;
  const token = await provider.token();
  const claims = readIdentityToken(token.reveal(), { ...provider, audience, now: peer.now() });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const proof = signBytes(privateKey, Buffer.from(provenClaim(claims, identity, provider.source)));
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const [leaf] = await requestCertificate(fulcio, { token, publicKeyPem, proof }, undefined);
  const chain = judgeCertificate(leaf, { publicKey, identity, trust: trust() }, peer);
  return {
    leaf,
    credential: {
      publicKey,
      chain,
      signer: {
        sign: async (data) => ({
          signature: signBytes(privateKey, data),
          key: { $case: 'x509Certificate', certificate: leaf.pem },
        }),
      },
    },
  };
}

/**
 * Fulcio wants the claim signed that names the holder: the address for issuers of e-mail addresses, else the subject,
 * whatever the certificate makes of it.
 */
function provenClaim({ email, subject }: IdentityToken, identity: SignerIdentity, source: string): string {
  const isAddress = identity.subject.includes('@') && !identity.subject.includes('://');
  if (!isAddress) return subject;
  if (email === identity.subject) return email;
  const found = email === undefined ? 'no verified e-mail address' : `the address "${email}"`;
  throw new AppError(
    'identity-mismatch',
    `${source} gave a token with ${found}, and the signer is "${identity.subject}"`,
    {
      mend: 'write the identity of the signer as its token has it, or use the token of that identity',
    },
  );
}

/** Some minutes after the signature nobody could tell any more that its certificate was valid then. */
function refuseTimeless(id: string, witnesses: readonly Witness[]): void {
  if (witnesses.some(({ type }) => type !== 'rekor-v2')) return;
  throw new AppError('config-invalid', `signer ${id}: nobody tells the time of its signatures`, {
    field: `signers.${id}.witnesses`,
    mend: 'its certificates last minutes: name a witness of type rekor (version 1) or timestamp-authority',
  });
}

async function abortable<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new AppError('canceled', 'signing was canceled', { cause: signal.reason }));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
