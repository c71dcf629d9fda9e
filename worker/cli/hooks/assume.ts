import * as z from 'zod/mini';
import { AppError } from '#model/errors.ts';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import type { Credential } from '#producer/intake/credential.ts';
import type { Binding } from '#producer/intake/decide.ts';
import type { SourceOptions } from '#producer/intake/options.ts';
import { bindRegistries, bindSource, boundRegistries } from '#producer/intake/source.ts';
import type { SenderSettings, WebhookAdapter } from '#producer/webhooks/adapter.ts';

/** What a sample takes for granted about the source's configuration, by the names that recorded samples use. */
const Assume = z.strictObject({
  registryHost: z.optional(z.string()),
  allowedHosts: z.optional(z.array(z.string())),
  digestOnly: z.optional(z.enum(['skip', 'enqueue'])),
  ownDigests: z.optional(z.array(z.string())),
  repositories: z.optional(z.record(z.string(), z.string())),
  repoKeyMap: z.optional(z.record(z.string(), z.string())),
  topicArn: z.optional(z.string()),
  topic: z.optional(z.string()),
  audience: z.optional(z.string()),
  email: z.optional(z.string()),
  allowedOrigins: z.optional(z.array(z.string())),
});
type Assume = z.infer<typeof Assume>;

/** Members that mean something for one sender only. */
const OF_SENDER: Readonly<Partial<Record<keyof Assume, string>>> = {
  repoKeyMap: 'artifactory',
  topicArn: 'ecr-sns',
  topic: 'acr-eventgrid',
  allowedOrigins: 'acr-eventgrid',
  audience: 'gar',
  email: 'gar',
};

export interface Assumption {
  readonly binding: Binding;
  readonly settings: SenderSettings;
  /** The receiver's credential as the assumption has it. */
  readonly credential: (stored: Credential) => Credential;
  /** Digests that are in the record of our own pushes when the delivery arrives. */
  readonly ownDigests: readonly string[];
}

/**
 * Reads an assumption: the `assume` object of a sample, or the sample's whole expectation, which holds it.
 * @throws AppError `config-invalid` naming the member that is not understood: a guess would judge something else.
 */
export function readAssumption(value: unknown, adapter: WebhookAdapter): Assumption {
  const whole = z.object({ assume: z.unknown(), sender: z.optional(z.string()) }).safeParse(value);
  const isWhole = whole.success && whole.data.assume !== undefined;
  if (isWhole && whole.data.sender !== undefined && whole.data.sender !== adapter.id) {
    throw unread(`is about the sender ${whole.data.sender}, not ${adapter.id}`);
  }
  const parsed = Assume.safeParse(isWhole ? whole.data.assume : value);
  if (parsed.success) {
    const foreign = Object.entries(OF_SENDER).find(
      ([name, sender]) => parsed.data[name as keyof Assume] !== undefined && sender !== adapter.id,
    );
    if (foreign) throw unread(`member ${foreign[0]} means nothing for the sender ${adapter.id}`);
    return assumption(parsed.data, adapter);
  }
  const issue = parsed.error.issues[0];
  const names = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  if (names.length > 0) throw unread(`unknown member ${names.join(', ')}`);
  throw unread(`member ${issue?.path.join('.') || '(top)'} has the wrong type`);
}

/** What a configured source is, without its secrets. */
export function assumedSource(
  source: SourceOptions,
  config: { readonly registries: Parameters<typeof boundRegistries>[0] },
): Assumption {
  const { binding, settings = {} } = bindSource(source, boundRegistries(config.registries));
  return { binding, settings, credential: (stored) => stored, ownDigests: [] };
}

function assumption(given: Assume, adapter: WebhookAdapter): Assumption {
  const hosts = [...(given.registryHost === undefined ? [] : [given.registryHost]), ...(given.allowedHosts ?? [])];
  const registries = hosts.map((host) => ({ id: host, name: host, hosts: [host] }));
  return {
    binding: {
      ...(hosts.length === 0 ? ANY_HOST : bindRegistries(registries)),
      ...(given.registryHost === undefined ? {} : { registry: given.registryHost }),
      // Nexus's are registries, and read by its adapter.
      ...(given.repositories && adapter.id !== 'nexus' ? { repositories: given.repositories } : {}),
      digestOnly: given.digestOnly ?? adapter.digestOnly,
      isAttestationTag: evidenceTagTest(),
      isIgnoredActor: () => false,
    },
    settings: {
      ...(given.repositories && adapter.id === 'nexus' ? { repositories: given.repositories } : {}),
      ...(given.repoKeyMap ? { repoKeyMap: given.repoKeyMap } : {}),
      ...(given.topic === undefined ? {} : { topic: given.topic }),
      ...(given.allowedOrigins ? { allowedOrigins: given.allowedOrigins } : {}),
    },
    credential: (stored) => assumedCredential(stored, given),
    ownDigests: given.ownDigests ?? [],
  };
}

function assumedCredential(stored: Credential, { topicArn, audience, email }: Assume): Credential {
  if (stored.kind === 'sns-signature') return topicArn === undefined ? stored : { ...stored, topicArns: [topicArn] };
  if (stored.kind !== 'oidc') return stored;
  return {
    ...stored,
    ...(audience === undefined ? {} : { audience }),
    ...(email === undefined ? {} : { emails: [email] }),
  };
}

/** Without a configuration no host is known to be wrong. */
const ANY_HOST: Pick<Binding, 'registryOf'> = { registryOf: (host) => host };

function unread(why: string): AppError {
  return new AppError('config-invalid', why, {
    field: '--assume',
    mend: `known are ${Object.keys(Assume.shape).join(', ')}`,
  });
}
