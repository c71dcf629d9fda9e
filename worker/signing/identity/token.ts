import * as z from 'zod/mini';
import { AppError } from '#model/errors.ts';
import { parseJson } from '#signing/peer.ts';

/** Characters of a token; the largest of CI systems have some three thousand. */
const MAX_TOKEN = 64 * 1024;
/** What a clock may be ahead or behind before a token counts as not yet good. */
const TOLERANCE_MS = 60_000;

/** A claim about time: seconds since 1970, up to the year 9999. */
const Seconds = z.number().check(z.gte(0), z.lte(253_402_300_799));

const Claims = z.object({
  iss: z.string().check(z.minLength(1), z.maxLength(2048)),
  sub: z.string().check(z.minLength(1), z.maxLength(2048)),
  aud: z.optional(z.union([z.string(), z.array(z.string()).check(z.maxLength(100))])),
  exp: Seconds,
  nbf: z.optional(Seconds),
  iat: z.optional(Seconds),
  email: z.optional(z.string()),
  // Some providers write it as text.
  email_verified: z.optional(z.union([z.boolean(), z.literal(['true', 'false'])])),
});

/** What an identity token says; its signature is the CA's to check. */
export interface IdentityToken {
  readonly issuer: string;
  readonly subject: string;
  /** Only a verified one. */
  readonly email?: string;
  readonly expires: Date;
}

/** What is asked of a token before it is sent anywhere. */
export interface TokenCheck {
  /** Of the provider, for messages. */
  readonly source: string;
  readonly audience: string;
  readonly subjectPrefix?: string;
  readonly now: Date;
}

/**
 * Reads an identity token (a JWT, RFC 7519) and judges what can be judged here. No message quotes any part of it.
 * @throws AppError `identity-token-malformed`, `identity-token-expired`, `clock-skew`.
 */
export function readIdentityToken(
  token: string,
  { source, audience, subjectPrefix = '', now }: TokenCheck,
): IdentityToken {
  const parts = token.length > MAX_TOKEN ? [] : token.split('.');
  const body = parts.length === 3 ? parseJson(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8')) : undefined;
  const parsed = Claims.safeParse(body);
  if (!parsed.success) {
    const missing = body === undefined ? 'no JSON Web Token' : 'a token without a sound iss, sub or exp';
    throw malformed(`${source} gave ${missing}`, 'it must give an OpenID Connect identity token');
  }
  const { iss, sub, aud = [], exp, nbf, iat, email, email_verified } = parsed.data;
  if (![aud].flat().includes(audience)) {
    throw malformed(
      `${source} gave a token that is not for the audience "${audience}"`,
      'ask for it with that audience',
    );
  }
  if (!sub.startsWith(subjectPrefix)) {
    throw malformed(`${source} gave a token whose subject is no ${subjectPrefix} name`, 'name the file of a JWT-SVID');
  }
  const expires = new Date(exp * 1000);
  if (expires <= now) {
    const times = `${expires.toISOString()}, and it is ${now.toISOString()}`;
    throw new AppError('identity-token-expired', `${source} gave a token that ended at ${times}`, {
      mend: 'let its writer renew it in time; if it is fresh, set the clock of this machine',
    });
  }
  const begins = new Date(Math.max(nbf ?? 0, iat ?? 0) * 1000);
  if (begins.getTime() - now.getTime() > TOLERANCE_MS) {
    const times = `${begins.toISOString()}, and this machine says ${now.toISOString()}`;
    throw new AppError('clock-skew', `${source} gave a token that begins at ${times}`, {
      mend: 'set the clock of this machine by NTP',
    });
  }
  const isVerified = email_verified === true || email_verified === 'true';
  return { issuer: iss, subject: sub, expires, ...(email !== undefined && isVerified ? { email } : {}) };
}

function malformed(message: string, mend: string): AppError {
  return new AppError('identity-token-malformed', message, { mend });
}
