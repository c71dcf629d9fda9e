import * as z from 'zod/mini';
import { Secret } from '#model/secret.ts';
import type { Credential } from '#producer/intake/credential.ts';
import { GOOGLE_KEYS } from '#producer/intake/mount-credential.ts';
import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';

const OneOrMore = z.union([z.string(), z.array(z.string())]);

const Auth = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('bearer'), value: z.string() }),
  z.object({ kind: z.literal('basic'), username: z.string(), password: z.string() }),
  z.object({ kind: z.literal('static-header'), header: z.string(), value: z.string() }),
  z.object({ kind: z.literal('query-token'), param: z.string(), value: z.string() }),
  z.object({
    kind: z.literal('hmac'),
    secret: z.string(),
    header: z.optional(z.string()),
    algorithm: z.optional(z.enum(['sha256', 'sha1'])),
    encoding: z.optional(z.literal('hex')),
    prefix: z.optional(z.string()),
  }),
  z.object({
    kind: z.literal('sns-signature'),
    topicArn: OneOrMore,
    certUrl: z.optional(z.string()),
    certFile: z.optional(z.string()),
  }),
  z.object({
    kind: z.literal('oidc'),
    issuer: OneOrMore,
    audience: z.string(),
    email: OneOrMore,
    jwksFile: z.optional(z.string()),
  }),
]);

/** A credential, and the files that stand for what would be fetched to check it. */
export interface StoredAuth {
  /** Absent: the file that the check would need is not given. */
  readonly credential?: Credential;
  /** Paths beside the stored request, by URL. */
  readonly fetched: Readonly<Record<string, string>>;
}

/** What the receiver of a stored request is configured with; undefined when it is not understood. */
export function readStoredAuth(value: unknown, adapter: WebhookAdapter): StoredAuth | undefined {
  const parsed = Auth.safeParse(value);
  if (!parsed.success) return undefined;
  const auth = parsed.data;
  switch (auth.kind) {
    case 'none':
      return { credential: auth, fetched: {} };
    case 'bearer':
      return { credential: { kind: 'bearer', bearers: [{ tokens: secret(auth.value) }] }, fetched: {} };
    case 'basic':
      return {
        credential: { kind: 'basic', username: auth.username, passwords: secret(auth.password) },
        fetched: {},
      };
    case 'static-header':
      return { credential: { kind: 'static-header', header: auth.header, values: secret(auth.value) }, fetched: {} };
    case 'query-token':
      return { credential: { kind: 'query-token', parameter: auth.param, values: secret(auth.value) }, fetched: {} };
    case 'hmac': {
      const { header, algorithm, prefix } = auth;
      const declared = adapter.signature ?? { header: '', algorithm: 'sha256' as const, prefix: '' };
      const rule = {
        ...declared,
        header: (header ?? declared.header).toLowerCase(),
        algorithm: algorithm ?? declared.algorithm,
        prefix: prefix ?? declared.prefix,
      };
      return { credential: { kind: 'hmac', rule, secrets: secret(auth.secret) }, fetched: {} };
    }
    case 'sns-signature': {
      const { certUrl, certFile } = auth;
      if (certUrl === undefined || certFile === undefined) return { fetched: {} };
      const credential = { kind: 'sns-signature' as const, topicArns: [auth.topicArn].flat() };
      return { credential, fetched: { [certUrl]: certFile } };
    }
    case 'oidc': {
      const { issuer, audience, email, jwksFile } = auth;
      if (jwksFile === undefined) return { fetched: {} };
      const claims = { issuers: [issuer].flat(), audience, emails: [email].flat() };
      return { credential: { kind: 'oidc', ...claims, jwks: GOOGLE_KEYS }, fetched: { [GOOGLE_KEYS.href]: jwksFile } };
    }
  }
}

function secret(value: string): () => readonly Secret[] {
  return () => [new Secret(value, '--headers auth')];
}
