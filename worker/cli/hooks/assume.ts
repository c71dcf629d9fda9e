import * as z from 'zod/mini';
import { AppError } from '#model/errors.ts';
import { attestationTagTest } from '#producer/intake/attestation-tag.ts';
import type { Binding } from '#producer/intake/decide.ts';
import { bindRegistries } from '#producer/intake/source.ts';
import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';

/** What a sample takes for granted about the source's configuration, by the names that recorded samples use. */
const Assume = z.strictObject({
  registryHost: z.optional(z.string()),
  allowedHosts: z.optional(z.array(z.string())),
  digestOnly: z.optional(z.enum(['skip', 'enqueue'])),
  ownDigests: z.optional(z.array(z.string())),
});

/** Members that belong to senders with settings of their own; none that is understood here has any of them. */
const OF_OTHER_SENDERS = ['repositories', 'repoKeyMap', 'topicArn', 'topic', 'audience', 'email', 'allowedOrigins'];

export interface Assumption {
  readonly binding: Binding;
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
  if (parsed.success) return assumption(parsed.data, adapter);
  const issue = parsed.error.issues[0];
  const names = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const foreign = names.find((name) => OF_OTHER_SENDERS.includes(name));
  if (foreign !== undefined) throw unread(`member ${foreign} means nothing for the sender ${adapter.id}`);
  if (names.length > 0) throw unread(`unknown member ${names.join(', ')}`);
  throw unread(`member ${issue?.path.join('.') || '(top)'} has the wrong type`);
}

function assumption(given: z.infer<typeof Assume>, adapter: WebhookAdapter): Assumption {
  const hosts = [...(given.registryHost === undefined ? [] : [given.registryHost]), ...(given.allowedHosts ?? [])];
  const registries = hosts.map((host) => ({ id: host, name: host, hosts: [host] }));
  return {
    binding: {
      ...(hosts.length === 0 ? ANY_HOST : bindRegistries(registries)),
      ...(given.registryHost === undefined ? {} : { registry: given.registryHost }),
      digestOnly: given.digestOnly ?? adapter.digestOnly,
      isAttestationTag: attestationTagTest(),
      isIgnoredActor: () => false,
    },
    ownDigests: given.ownDigests ?? [],
  };
}

/** Without a configuration no host is known to be wrong. */
const ANY_HOST: Pick<Binding, 'registryOf'> = { registryOf: (host) => host };

function unread(why: string): AppError {
  return new AppError('config-invalid', why, {
    field: '--assume',
    mend: 'known are registryHost, allowedHosts, digestOnly and ownDigests',
  });
}
