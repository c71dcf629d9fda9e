import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { utf8 } from './der.ts';
import { type HttpServer, json, type ServedRequest, serveHttp } from './http-server.ts';
import type { IdentityIssuer } from './identity-issuer.ts';
import { type CertificateSpec, caDefaults, extension, issueFrom, type Name, type Pki } from './pki.ts';

export interface FulcioServer extends HttpServer {
  /** What certificates from now on have otherwise than honest ones. */
  certify(spec: CertificateSpec): void;
}

export interface FulcioServerOptions {
  readonly pki: Pki;
  readonly issuer: IdentityIssuer;
  readonly now: () => Date;
}

/** A CA that speaks Fulcio's protocol: it checks the token, its audience, and the proof that the key is there. */
export async function startFulcio({ pki, issuer, now }: FulcioServerOptions): Promise<FulcioServer> {
  let bent: CertificateSpec = {};

  function answer(request: ServedRequest) {
    const asked = readRequest(request);
    const claims = asked && issuer.claimsOf(asked.token);
    if (!asked || !claims) return refused('There was an error processing the identity token');
    const isFresh = Number(claims.exp) * 1000 > now().getTime();
    if (!isFresh || claims.aud !== 'sigstore') return refused('There was an error processing the identity token');
    const email = typeof claims.email === 'string' ? claims.email : undefined;
    const proven = Buffer.from(email ?? String(claims.sub));
    if (!verify('sha256', proven, asked.key, asked.proof)) {
      return refused('The signature supplied in the request could not be verified');
    }
    const name: Name = email ? { type: 'email', value: email } : { type: 'uri', value: String(claims.sub) };
    const chain = [issueLeaf(asked.key, name), ...pki.intermediates, pki.root].map(({ pem }) => pem);
    if (request.path.startsWith('/api/v1/')) return { status: 201, body: chain.join('\n') };
    return json(200, { signedCertificateEmbeddedSct: { chain: { certificates: chain } } });
  }

  function issueLeaf(publicKey: KeyObject, name: Name) {
    return issueFrom(pki.intermediate, {
      nameDer: Buffer.from([0x30, 0x00]),
      publicKey,
      notBefore: now(),
      notAfter: new Date(now().getTime() + 10 * 60_000),
      subjectAlternativeNames: [name],
      sanCritical: true,
      extensions: issuerExtensions(issuer.url),
      ...bent,
    });
  }

  const server = await serveHttp(answer);
  return {
    ...server,
    certify: (spec) => {
      bent = spec;
    },
  };
}

/** Fulcio writes the issuer twice: bare, as it did at first, and in DER. */
export function issuerExtensions(bare: string, wrapped = bare): readonly Buffer[] {
  return [extension('1.3.6.1.4.1.57264.1.1', Buffer.from(bare)), extension('1.3.6.1.4.1.57264.1.8', utf8(wrapped))];
}

/** A CA of the shape of Fulcio's: the intermediate may issue for code signing alone. */
export const FULCIO_PKI = { intermediates: [{ ...caDefaults(), extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'] }] };

function readRequest({ path, body, headers }: ServedRequest) {
  const value = JSON.parse(body.toString());
  if (path === '/api/v2/signingCert') {
    const { publicKey, proofOfPossession } = value.publicKeyRequest;
    return {
      token: String(value.credentials.oidcIdentityToken),
      key: createPublicKey(publicKey.content),
      proof: Buffer.from(proofOfPossession, 'base64'),
    };
  }
  if (path !== '/api/v1/signingCert') return undefined;
  return {
    token: (headers.authorization ?? '').replace('Bearer ', ''),
    key: createPublicKey(Buffer.from(value.publicKey.content, 'base64').toString()),
    proof: Buffer.from(value.signedEmailAddress, 'base64'),
  };
}

function refused(message: string) {
  return json(400, { code: 3, message, details: [] });
}
