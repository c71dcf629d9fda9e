import type { SourceOptions } from '#producer/intake/options.ts';
import type { SenderSettings } from '#producer/webhooks/adapter.ts';
import type { Receiver, Shown } from '#producer/webhooks/guide.ts';
import type { SourceAuth } from '#producer/webhooks/options.ts';

/** The value of a secret reference where it may be shown; undefined where only its place may. */
export type Reveal = (reference: string) => string | undefined;

/** What stands for the address of the intake where nobody has said it. */
export const EXAMPLE_URL = 'https://attestry.example.com';

/** The path of a source below the address of the intake, which may have a path of its own behind a proxy. */
export function hookUrl(base: string, id: string): string {
  return new URL(`hooks/${encodeURIComponent(id)}`, base.endsWith('/') ? base : `${base}/`).href;
}

/** What the registry's side must be told of a source: its address, and the secret by its place. */
export function receiverOf(
  source: SourceOptions,
  registries: readonly string[],
  base: string,
  reveal: Reveal,
): Receiver {
  const url = hookUrl(base, source.id);
  const plain = { text: url, shell: url };
  return {
    id: source.id,
    url,
    address: plain,
    registries,
    settings: settingsOf(source),
    ...pulledFrom(source),
    ...proof(source.auth, url, reveal),
  };
}

function pulledFrom(source: SourceOptions): Pick<Receiver, 'pulled'> {
  if (source.sender === 'ecr-sqs') return { pulled: { from: source.queue } };
  if (source.sender !== 'zot-nats') return {};
  const { servers, subject, stream } = source;
  return { pulled: { from: servers[0] ?? '', subject, ...(stream === undefined ? {} : { stream }) } };
}

function proof(auth: SourceAuth, url: string, reveal: Reveal): Partial<Receiver> {
  switch (auth.kind) {
    case 'none':
    case 'pulled':
      return {};
    case 'bearer':
      return { header: { name: 'Authorization', value: prefixed('Bearer ', shownOf(auth.secrets, reveal)) } };
    case 'static-header':
      return { header: { name: asWritten(auth.header), value: shownOf(auth.secrets, reveal) } };
    case 'basic':
      return basic(auth, reveal);
    case 'query-token': {
      const value = shownOf(auth.secrets, (reference) => encoded(reveal(reference)));
      return { address: prefixed(`${url}?${auth.parameter}=`, value) };
    }
    case 'hmac':
      return { signingSecret: shownOf(auth.secrets, reveal) };
    case 'sns-signature':
      return { topicArns: auth.topicArns };
    case 'oidc':
      return { audience: auth.audience, emails: auth.emails };
  }
}

/** RFC 7617, 2: as senders want it that know the scheme, and as a whole header for those that do not. */
function basic({ username, passwords }: SourceAuth & { kind: 'basic' }, reveal: Reveal): Partial<Receiver> {
  const password = shownOf(passwords, reveal);
  const known = reveal(last(passwords));
  const value =
    known === undefined
      ? {
          text: `Basic <base64 of ${username}:${password.text}>`,
          shell: `Basic $(printf %s "${username}:${password.shell}" | base64 --wrap=0)`,
        }
      : same(`Basic ${Buffer.from(`${username}:${known}`).toString('base64')}`);
  return { basic: { username, password }, header: { name: 'Authorization', value } };
}

function shownOf(references: readonly string[], reveal: Reveal): Shown {
  // Of two that hold at once the later one is the new one, which the sender is to be given.
  const reference = last(references);
  const value = reveal(reference);
  if (value !== undefined) return { text: value, shell: value.replace(/["$`\\]/g, '\\$&') };
  const place = reference.replace(/^(?:env|file):/, '');
  return reference.startsWith('env:')
    ? { text: `<value of ${place}>`, shell: `$${place}` }
    : { text: `<content of ${place}>`, shell: `$(cat '${place.replaceAll("'", `'\\''`)}')` };
}

/** Names of headers have no case; people know them in this one. */
function asWritten(header: string): string {
  return header.replace(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function prefixed(prefix: string, { text, shell }: Shown): Shown {
  return { text: `${prefix}${text}`, shell: `${prefix}${shell}` };
}

function same(value: string): Shown {
  return { text: value, shell: value };
}

function encoded(value: string | undefined): string | undefined {
  return value === undefined ? undefined : encodeURIComponent(value);
}

function last(references: readonly string[]): string {
  return references.at(-1) ?? '';
}

function settingsOf(source: SourceOptions): SenderSettings {
  return {
    ...('repositories' in source && source.repositories ? { repositories: source.repositories } : {}),
    ...('repoKeyMap' in source && source.repoKeyMap ? { repoKeyMap: source.repoKeyMap } : {}),
    ...('topic' in source ? { topic: source.topic } : {}),
  };
}
