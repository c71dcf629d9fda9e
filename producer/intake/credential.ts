import type { Secret } from '#model/secret.ts';
import type { SignatureRule } from '#producer/webhooks/adapter.ts';

/** Reads the secrets that hold now: one, or two while a rotation is under way. Anew each time, so that files count. */
export type Secrets = () => readonly Secret[];

/** One who may call; a name is told only where tokens are handed out to people and pipelines. */
export interface Bearer {
  readonly name?: string;
  readonly tokens: Secrets;
}

/** A secret that travels in a header. */
export type HeaderCredential =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly bearers: readonly Bearer[] }
  | { readonly kind: 'basic'; readonly username: string; readonly passwords: Secrets }
  | { readonly kind: 'static-header'; readonly header: string; readonly values: Secrets };

/** A secret in the address, for senders that can send it nowhere else. */
export interface QueryCredential {
  readonly kind: 'query-token';
  readonly parameter: string;
  readonly values: Secrets;
}

export interface HmacCredential {
  readonly kind: 'hmac';
  readonly rule: SignatureRule;
  readonly secrets: Secrets;
}

/** Amazon SNS signs every topic's messages: the topic is what tells ours. */
export interface SnsCredential {
  readonly kind: 'sns-signature';
  readonly topicArns: readonly string[];
}

/** A token of an OpenID provider: it signs for everyone, so that audience and account are what tells ours. */
export interface OidcCredential {
  readonly kind: 'oidc';
  readonly issuers: readonly string[];
  readonly audience: string;
  /** Verified e-mail addresses, one of which must be the token's. */
  readonly emails: readonly string[];
  readonly jwks: URL;
}

/** Nobody can show it: messages are fetched from a queue that vouches for them, and no request is one. */
export interface PulledCredential {
  readonly kind: 'pulled';
}

/** What a source's deliveries must show. */
export type Credential =
  | PulledCredential
  | HeaderCredential
  | QueryCredential
  | HmacCredential
  | SnsCredential
  | OidcCredential;

export type Authentication = { readonly ok: true; readonly bearer?: string } | { readonly ok: false };
