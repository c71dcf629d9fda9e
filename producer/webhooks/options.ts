import * as z from 'zod';
import { exactlyOneForm, oneOrMore, SecretReference } from '#model/settings.ts';

/** How the deliveries of a source prove who sent them. Lists: any of the secrets counts, for rotation. */
export type SourceAuth =
  | { readonly kind: 'none' }
  /** Fetched from a queue of ours: who may write there is the queue's to say. */
  | { readonly kind: 'pulled' }
  | { readonly kind: 'bearer'; readonly secrets: readonly string[] }
  | { readonly kind: 'basic'; readonly username: string; readonly passwords: readonly string[] }
  | { readonly kind: 'static-header'; readonly header: string; readonly secrets: readonly string[] }
  | { readonly kind: 'query-token'; readonly parameter: string; readonly secrets: readonly string[] }
  | { readonly kind: 'hmac'; readonly secrets: readonly string[] }
  | { readonly kind: 'sns-signature'; readonly topicArns: readonly string[] }
  | { readonly kind: 'oidc'; readonly audience: string; readonly emails: readonly string[] };

/** A way to prove it, by the keys that configure it. */
export type AuthForm = Exclude<SourceAuth['kind'], 'none' | 'pulled'>;

const secrets = oneOrMore(SecretReference, 4);

const SHAPES = {
  bearer: {
    bearer: secrets.exactOptional().describe('Token of an Authorization: Bearer header; a list while it is rotated.'),
  },
  basic: {
    basic: z
      .strictObject({
        username: z.string().min(1).max(255).describe('User name.'),
        password: secrets.describe('Password, as a secret reference; a list while it is rotated.'),
      })
      .exactOptional()
      .describe('Basic authentication.'),
  },
  'static-header': {
    header: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, 'not a header name')
      .exactOptional()
      .describe('Name of a header that holds a secret.'),
    value: secrets.exactOptional().describe('The whole value of that header; a list while it is rotated.'),
  },
  'query-token': {
    query: z
      .strictObject({
        parameter: z
          .string()
          .regex(/^[A-Za-z0-9_-]{1,64}$/, 'not a name for a query parameter')
          .describe('Name of the parameter in the address that the sender is given.'),
        value: secrets.describe('Its value, long and random; a list while it is rotated.'),
      })
      .exactOptional()
      .describe('A secret in the address, for senders that can send it nowhere else.'),
  },
  hmac: {
    hmac: secrets.exactOptional().describe('Secret that the sender signs with; a list while it is rotated.'),
  },
  'sns-signature': {
    topicArn: oneOrMore(
      z
        .string()
        .regex(/^arn:aws(?:-cn)?:sns:[a-z0-9-]{3,32}:[0-9]{12}:[A-Za-z0-9_.-]{1,256}$/, 'not the ARN of a topic'),
      20,
    )
      .exactOptional()
      .describe('The only topics whose signed messages count: SNS signs those of strangers too.'),
  },
  oidc: {
    audience: z
      .string()
      .min(1)
      .max(2048)
      .exactOptional()
      .describe('Audience of the tokens, as on the subscription; by default the address that is pushed to.'),
    email: oneOrMore(z.email(), 20)
      .exactOptional()
      .describe('The only service accounts whose tokens count: Google signs those of strangers too.'),
  },
} as const satisfies Record<AuthForm, z.ZodRawShape>;

interface Given {
  readonly bearer?: string[];
  readonly basic?: { username: string; password: string[] };
  readonly header?: string;
  readonly value?: string[];
  readonly query?: { parameter: string; value: string[] };
  readonly hmac?: string[];
  readonly topicArn?: string[];
  readonly audience?: string;
  readonly email?: string[];
}

const NONE = z.literal('none').transform((): SourceAuth => ({ kind: 'none' }));

/** The key `auth` of a sender that can prove itself in the given ways, exactly one of which is written. */
export function authOf(forms: readonly AuthForm[], open: 'open' | 'closed') {
  const shape: z.ZodRawShape = Object.assign({}, ...forms.map((form) => SHAPES[form]));
  const written = z
    .strictObject(shape)
    .superRefine(exactlyOneForm(forms.map((form) => Object.keys(SHAPES[form]))))
    .transform((value) => authFrom(value as Given));
  if (open === 'closed') return written.describe('How a delivery proves itself.');
  return z
    .union([NONE, written])
    .describe('How a delivery proves itself. none has to be written out: then anyone may name images to look at.');
}

function authFrom({ bearer, basic, header, value, query, hmac, topicArn, audience, email }: Given): SourceAuth {
  if (bearer !== undefined) return { kind: 'bearer', secrets: bearer };
  if (basic !== undefined) return { kind: 'basic', username: basic.username, passwords: basic.password };
  if (query !== undefined) return { kind: 'query-token', parameter: query.parameter, secrets: query.value };
  if (hmac !== undefined) return { kind: 'hmac', secrets: hmac };
  if (topicArn !== undefined) return { kind: 'sns-signature', topicArns: topicArn };
  if (audience !== undefined) return { kind: 'oidc', audience, emails: email ?? [] };
  return { kind: 'static-header', header: (header ?? '').toLowerCase(), secrets: value ?? [] };
}
