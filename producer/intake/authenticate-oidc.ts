import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import * as z from 'zod/mini';
import { AppError } from '#model/errors.ts';
import { type CachedFetch, createCachedFetch } from '#producer/intake/cached-fetch.ts';
import type { OidcCredential } from '#producer/intake/credential.ts';
import { CLOCK_SKEW_MS, KEYS_AGE_MS, KEYS_REFETCH_MS } from '#producer/intake/limits.ts';
import type { Outbound } from '#producer/intake/ports.ts';
import { readJson } from '#producer/webhooks/json.ts';

/** Only RS256: a token chooses its own header, and must not choose how it is checked (RFC 8725, 3.1). */
const Header = z.object({ alg: z.literal('RS256'), kid: z.string() });

const Claims = z.object({
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  iat: z.optional(z.number()),
  nbf: z.optional(z.number()),
  email: z.string(),
  email_verified: z.literal(true),
});

const Jwks = z.object({ keys: z.array(z.looseObject({ kid: z.optional(z.string()), kty: z.string() })) });

type Keys = ReadonlyMap<string, KeyObject>;

/** Tells tokens that a provider made for us and for one of our own accounts (OpenID Connect Core, 3.1.3.7). */
export interface OidcCheck {
  /** @throws AppError when the provider's keys cannot be fetched or read. */
  isOurs(credential: OidcCredential, authorization: string | undefined, now: Date): Promise<boolean>;
}

export function createOidcCheck(outbound: Outbound): OidcCheck {
  const keys = createCachedFetch(async (url) => readKeys(await outbound.get(url)));
  return { isOurs: (credential, authorization, now) => isOurs(keys, credential, authorization, now) };
}

async function isOurs(
  cache: CachedFetch<Keys>,
  credential: OidcCredential,
  authorization: string | undefined,
  now: Date,
): Promise<boolean> {
  const [, head, payload, signature] = TOKEN.exec(authorization ?? '') ?? [];
  if (head === undefined || payload === undefined || signature === undefined) return false;
  const header = Header.safeParse(decoded(head));
  const claims = Claims.safeParse(decoded(payload));
  // Claims first: a token that could never count must not make us fetch anything.
  if (!header.success || !claims.success || !isMeant(claims.data, credential, now)) return false;
  const key = await keyOf(cache, credential.jwks, header.data.kid, now);
  if (key === undefined) return false;
  return verify('RSA-SHA256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'));
}

const TOKEN = /^bearer +([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/i;

// Keys are renewed before the old ones end: an unknown one is looked for again, but not as often as somebody asks.
async function keyOf(cache: CachedFetch<Keys>, url: URL, kid: string, now: Date): Promise<KeyObject | undefined> {
  const known = (await cache.get(url, now, KEYS_AGE_MS)).get(kid);
  return known ?? (await cache.get(url, now, KEYS_REFETCH_MS)).get(kid);
}

function isMeant(claims: z.infer<typeof Claims>, { issuers, audience, emails }: OidcCredential, now: Date): boolean {
  const { iss, aud, exp, iat = 0, nbf = 0, email } = claims;
  const at = now.getTime();
  const isNow = exp * 1000 + CLOCK_SKEW_MS > at && Math.max(iat, nbf) * 1000 - CLOCK_SKEW_MS <= at;
  return isNow && issuers.includes(iss) && [aud].flat().includes(audience) && emails.includes(email);
}

function decoded(part: string): unknown {
  const json = readJson(Buffer.from(part, 'base64url'));
  return json.ok ? json.value : undefined;
}

function readKeys(bytes: Uint8Array): Keys {
  const json = readJson(bytes);
  const read = Jwks.safeParse(json.ok ? json.value : undefined);
  if (!read.success) throw new AppError('network', "the token issuer's keys are not a JSON Web Key Set");
  const rsa = read.data.keys.filter(({ kty, kid }) => kty === 'RSA' && kid !== undefined);
  return new Map(rsa.map((jwk) => [jwk.kid ?? '', createPublicKey({ key: jwk, format: 'jwk' })]));
}
