import * as z from 'zod';
import { holdToken } from '#cloud/held-token.ts';
import { retrying } from '#cloud/retry.ts';
import { failureOfStatus, protocolError, type ServiceFailure, serviceError } from '#cloud/service-error.ts';
import { askService, type ServiceAnswer } from '#cloud/service-request.ts';
import { revealed, withToken } from '#cloud/with-token.ts';
import { readPublicKey } from '#crypto/keys.ts';
import { AppError } from '#model/errors.ts';
import type { HashivaultReference } from '#model/key-reference.ts';
import { digestAlgorithm } from '#signing/keys/key-kinds.ts';
import type { KeyServiceContext } from '#signing/keys/key-service.ts';
import { remoteKey } from '#signing/keys/remote-key.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';
import { vaultToken } from '#signing/keys/vault-login.ts';

const Key = z.object({
  data: z.object({
    type: z.string(),
    latest_version: z.number().int(),
    keys: z.record(z.string(), z.union([z.object({ public_key: z.string().optional() }), z.number()])),
  }),
});
const Signed = z.object({ data: z.object({ signature: z.string() }) });

/** A key of Vault's transit engine (HTTP API: "Read Key", "Sign Data" with a digest). */
export async function openVaultKey(reference: HashivaultReference, context: KeyServiceContext): Promise<SigningKey> {
  const { settings } = context;
  const what = `hashivault (${reference.name})`;
  const address = readAddress(settings.text('VAULT_ADDR'), what);
  const mount = (settings.text('TRANSIT_SECRET_ENGINE_PATH') ?? 'transit').replace(/^\/+|\/+$/g, '');
  const namespace = settings.text('VAULT_NAMESPACE');
  const caFile = settings.text('VAULT_CACERT') ?? settings.text('SSL_CERT_FILE');
  const http = await context.http(address, caFile);
  const token = holdToken((signal) => vaultToken(context, address, http, signal), context.now);

  async function call(method: 'GET' | 'POST', path: string, input?: object, signal?: AbortSignal): Promise<unknown> {
    const url = new URL(`/v1/${mount}/${path}`, address);
    return await retrying(context, signal, () =>
      withToken(token, revealed, signal, async (held) => {
        const headers = {
          'x-vault-token': held.reveal(),
          'x-vault-request': 'true',
          'content-type': 'application/json',
          ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
        };
        const body = input === undefined ? {} : { body: JSON.stringify(input) };
        const answer = await askService(http, { method, url, headers, signal, ...body }, context.now());
        if (answer.status === 200) return answer.json;
        throw failure(what, answer);
      }),
    );
  }

  const read = Key.safeParse(await call('GET', `keys/${reference.name}`));
  if (!read.success) throw protocolError(what, 'the answer is not a transit key');
  const { data } = read.data;
  // The latest version may change meanwhile; the certificate is about this one.
  const version = settings.text('VAULT_KEY_VERSION') ?? String(data.latest_version);
  const entry = data.keys[version];
  if (entry === undefined)
    throw serviceError(what, 'missing', { words: `there is no version ${version.slice(0, 10)}` });
  const pem = typeof entry === 'object' ? entry.public_key : undefined;
  if (pem === undefined || !pem.includes('PUBLIC KEY')) {
    const words = `its type is ${data.type}; ecdsa-p256 and rsa-2048 to rsa-4096 are used`;
    throw serviceError(what, 'refused', { words });
  }
  const publicKey = readPublicKey(pem);
  digestAlgorithm(publicKey, `the key of ${what}`, ['P-256', 'P-384']);
  return remoteKey({
    what,
    publicKey,
    signDigest: async (digest, signal) => {
      const input = {
        input: Buffer.from(digest).toString('base64'),
        prehashed: true,
        key_version: Number(version),
        signature_algorithm: 'pkcs1v15',
        marshaling_algorithm: 'asn1',
      };
      const signed = Signed.safeParse(await call('POST', `sign/${reference.name}/sha2-256`, input, signal));
      const base64 = signed.success
        ? /^vault:v\d+:([A-Za-z0-9+/]+={0,2})$/.exec(signed.data.data.signature)?.[1]
        : undefined;
      if (base64 === undefined) throw protocolError(what, 'the answer is not a signature');
      return Buffer.from(base64, 'base64');
    },
  });
}

function readAddress(text: string | undefined, what: string): URL {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  throw new AppError(
    'config-invalid',
    `${what}: ${text === undefined ? 'VAULT_ADDR is not set' : 'VAULT_ADDR is no URL'}`,
    {
      field: 'VAULT_ADDR',
      mend: 'set VAULT_ADDR to https://host:8200, without credentials',
    },
  );
}

const Failure = z.object({ errors: z.array(z.string()) });

function failure(what: string, { status, json, retryAfterMs }: ServiceAnswer): AppError {
  const read = Failure.safeParse(json);
  const words = read.success ? read.data.errors.join('; ') : '';
  return serviceError(what, kindOf(status, words), { ...(words === '' ? {} : { words }), retryAfterMs });
}

/** Vault answers 403 both to a bad token and to a lack of rights. */
function kindOf(status: number, words: string): ServiceFailure {
  if (status === 403 && /invalid token|bad token/i.test(words)) return 'unauthorized';
  if (status === 400 && /not found/i.test(words)) return 'missing';
  // A version that was retired is a 500.
  if (/minimum encryption key version|version .* (?:disallowed|too old)/i.test(words)) return 'disabled';
  if (status === 472 || status === 473 || /sealed|standby/i.test(words)) return 'unavailable';
  return failureOfStatus(status);
}
