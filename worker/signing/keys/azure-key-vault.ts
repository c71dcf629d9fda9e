import { createPublicKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { azureToken } from '#cloud/azure-credentials.ts';
import { holdToken } from '#cloud/held-token.ts';
import { retrying } from '#cloud/retry.ts';
import { failureOfStatus, protocolError, serviceError } from '#cloud/service-error.ts';
import { askService, type ServiceAnswer } from '#cloud/service-request.ts';
import { revealed, withToken } from '#cloud/with-token.ts';
import type { AppError } from '#model/errors.ts';
import type { AzureKmsReference } from '#model/key-reference.ts';
import { derOfRawSignature } from '#signing/keys/ec-signature.ts';
import { digestAlgorithm } from '#signing/keys/key-kinds.ts';
import type { KeyServiceContext } from '#signing/keys/key-service.ts';
import { remoteKey } from '#signing/keys/remote-key.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';

const API = 'api-version=7.4';
const ALGORITHMS = { ecdsa: 'ES256', 'rsa-pkcs1v15': 'RS256' } as const;

const Bundle = z.object({
  key: z.object({
    kid: z.url(),
    kty: z.string(),
    crv: z.string().optional(),
    x: z.string().optional(),
    y: z.string().optional(),
    n: z.string().optional(),
    e: z.string().optional(),
    key_ops: z.array(z.string()).optional(),
  }),
  attributes: z.object({ enabled: z.boolean().optional(), exp: z.number().optional() }).optional(),
});
const Signed = z.object({ value: z.base64url() });

/** A key of Azure Key Vault or Managed HSM (REST API, "Get Key" and "Sign"). */
export async function openAzureKey(reference: AzureKmsReference, context: KeyServiceContext): Promise<SigningKey> {
  const what = `azurekms (${reference.vault}/${reference.name})`;
  const base = new URL(`https://${reference.vault}/`);
  const caFile = context.settings.text('SSL_CERT_FILE');
  const http = await context.http(base, caFile);
  const token = holdToken((signal) => azureToken(context, resourceOf(base.hostname), caFile, signal), context.now);

  async function call(
    method: 'GET' | 'POST',
    path: string,
    input: object | undefined,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const url = new URL(`${path}?${API}`, base);
    return await retrying(context, signal, () =>
      withToken(token, revealed, signal, async (bearer) => {
        const headers = { authorization: `Bearer ${bearer.reveal()}`, 'content-type': 'application/json' };
        const body = input === undefined ? {} : { body: JSON.stringify(input) };
        const answer = await askService(http, { method, url, headers, signal, ...body }, context.now());
        if (answer.status === 200) return answer.json;
        throw failure(what, answer);
      }),
    );
  }

  const version = reference.version === undefined ? '' : `/${reference.version}`;
  const read = Bundle.safeParse(await call('GET', `/keys/${reference.name}${version}`, undefined));
  if (!read.success) throw protocolError(what, 'the answer to Get Key is not a key');
  const { key, attributes } = read.data;
  if (attributes?.enabled === false) throw serviceError(what, 'disabled');
  if (attributes?.exp !== undefined && attributes.exp * 1000 <= context.now().getTime()) {
    throw serviceError(what, 'disabled', { words: 'its expiry date is past' });
  }
  if (key.key_ops && !key.key_ops.includes('sign')) {
    throw serviceError(what, 'refused', { words: 'signing is not among the permitted operations of the key' });
  }
  const publicKey = readJwk(key, what);
  const algorithm = digestAlgorithm(publicKey, `the key of ${what}`);
  // The name alone would be the newest version, whichever that is at the time; the certificate is about this one.
  const pinned = new URL(key.kid).pathname;
  if (!/^\/keys\/[0-9A-Za-z-]+\/[0-9A-Za-z]+$/.test(pinned))
    throw protocolError(what, 'the id of the key names no version');
  return remoteKey({
    what,
    publicKey,
    signDigest: async (digest, signal) => {
      const input = { alg: ALGORITHMS[algorithm], value: Buffer.from(digest).toString('base64url') };
      const signed = Signed.safeParse(await call('POST', `${pinned}/sign`, input, signal));
      const bytes = signed.success ? Buffer.from(signed.data.value, 'base64url') : undefined;
      const signature = algorithm === 'ecdsa' && bytes ? derOfRawSignature(bytes) : bytes;
      if (!signature) throw protocolError(what, 'the answer to Sign is not a signature');
      return signature;
    },
  });
}

/** What a token is asked for: the service of the cloud that the vault's host belongs to. */
function resourceOf(host: string): string {
  const [, ...suffix] = host.split('.');
  const known =
    /^(?:vault\.azure\.(?:net|cn)|vault\.usgovcloudapi\.net|managedhsm\.azure\.(?:net|cn)|managedhsm\.usgovcloudapi\.net)$/;
  return `https://${known.test(suffix.join('.')) ? suffix.join('.') : 'vault.azure.net'}`;
}

function readJwk(key: z.output<typeof Bundle>['key'], what: string): KeyObject {
  const { crv, x, y, n, e } = key;
  // Keys in hardware have the kinds EC-HSM and RSA-HSM.
  const kty = key.kty.replace(/-HSM$/, '');
  const jwk = kty === 'EC' ? { kty, crv, x, y } : { kty, n, e };
  try {
    return createPublicKey({ key: JSON.parse(JSON.stringify(jwk)), format: 'jwk' });
  } catch {
    throw protocolError(what, `what it calls a public key of the kind ${kty.slice(0, 10)} cannot be read`);
  }
}

const Failure = z.object({
  error: z.object({
    code: z.string().optional(),
    message: z.string().optional(),
    innererror: z.object({ code: z.string().optional() }).optional(),
  }),
});

function failure(what: string, { status, json, retryAfterMs }: ServiceAnswer): AppError {
  const read = Failure.safeParse(json);
  const error = read.success ? read.data.error : {};
  const name = error.innererror?.code ?? error.code;
  const disabled = name === 'KeyDisabled' || /\bdisabled\b|not enabled|expired/i.test(error.message ?? '');
  const kind = status === 403 && disabled ? 'disabled' : failureOfStatus(status);
  return serviceError(what, kind, { name, retryAfterMs });
}
