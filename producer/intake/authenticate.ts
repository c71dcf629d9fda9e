import { createHash, timingSafeEqual } from 'node:crypto';
import { Secret } from '#model/secret.ts';
import type { Authentication, Bearer, HeaderCredential } from '#producer/intake/credential.ts';

type Headers = Readonly<Record<string, string>>;

/**
 * Whether a request shows a header that holds, and whose. Both sides are hashed to equal length and every secret
 * is compared, so that the time tells neither how much was right nor which one matched. Empty secrets match nothing.
 * @throws AppError `config-invalid` when a secret cannot be read: not checked is not passed.
 */
export function authenticate(credential: HeaderCredential, headers: Headers): Authentication {
  switch (credential.kind) {
    case 'none':
      return { ok: true };
    case 'bearer':
      return whichBearer(credential.bearers, bearerToken(headers));
    case 'basic':
      return { ok: matches(basicPair(headers), credential.passwords(), `${credential.username}:`) };
    case 'static-header':
      return { ok: matches(headers[credential.header.toLowerCase()], credential.values()) };
  }
}

const DECOY: HeaderCredential = { kind: 'bearer', bearers: [{ tokens: () => [new Secret('decoy', 'none')] }] };

/** Takes the time of a failed authentication: a path without a source must answer no faster than a wrong credential. */
export function authenticateNobody(headers: Headers): Authentication {
  authenticate(DECOY, headers);
  return { ok: false };
}

function whichBearer(bearers: readonly Bearer[], presented: string | undefined): Authentication {
  const found = bearers.filter((bearer) => matches(presented, bearer.tokens()))[0];
  if (found === undefined) return { ok: false };
  return found.name === undefined ? { ok: true } : { ok: true, bearer: found.name };
}

/** Whether a presented text is one of the secrets, in a time that tells neither how much of it was right nor which. */
export function matches(presented: string | undefined, secrets: readonly Secret[], prefix = ''): boolean {
  const left = hash(presented ?? '');
  let found = false;
  for (const secret of secrets) {
    const value = secret.reveal();
    const equal = timingSafeEqual(left, hash(prefix + value));
    found = (equal && value !== '') || found;
  }
  return found && presented !== undefined;
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

// RFC 6750, 2.1; the scheme's case does not matter (RFC 9110, 11.1).
function bearerToken(headers: Headers): string | undefined {
  return /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

// RFC 7617, 2.
function basicPair(headers: Headers): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(headers.authorization ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}
