import * as z from 'zod';
import { OwnBudget } from '#model/budget.ts';
import {
  duration,
  FilePath,
  Id,
  KeyAccess,
  oneOrMore,
  Pattern,
  SecretReference,
  wholeNumber,
} from '#model/settings.ts';
import { type AuthForm, authOf } from '#producer/webhooks/options.ts';

const source = {
  id: Id.describe('Last part of the path: POST /hooks/<id>. Also the source in `when`.'),
  digestOnly: z
    .enum(['skip', 'enqueue'])
    .default('skip')
    .describe('What becomes of pushes without a tag: mostly platform images and signatures.'),
  attestationTagSuffixes: z
    .array(z.string().regex(/^\.?[A-Za-z0-9._-]{1,32}$/, 'not a tag suffix'))
    .max(32)
    .default([])
    .describe('Suffixes beside .sig, .att and .sbom that make sha256-<digest> a tag of signatures, never an image.'),
  ignoreActors: oneOrMore(Pattern, 100, 0)
    .prefault([])
    .describe('Pushes of these actors are skipped. Off by default: a robot that also pushes images would be missed.'),
  ratePerHour: wholeNumber(1, 1_000_000)
    .default(600)
    .describe('Pushes to one repository in an hour beyond which jobs are held back and an alert is raised.'),
  silentAfter: duration('1m', '365d')
    .exactOptional()
    .describe('Silence after which an event is sent; absent: learnt from what is usual of it.'),
  budget: OwnBudget.exactOptional().describe('What all workers together may do for it; absent: worker.budgets.'),
};

// A registry without an id is called by its name, which may hold a port.
const registryKey = z.string().min(1).max(255);

const Names = z.record(z.string().min(1).max(255), z.string().max(512));

/** What is fetched from a queue proves itself by having been there. */
const PULLED = { kind: 'pulled' } as const;

/** A source that is fetched: its `auth` cannot be written. */
function pulled<const S extends string, X extends z.ZodRawShape>(sender: S, meaning: string, more: X) {
  return z.strictObject({ ...source, sender: z.literal(sender).describe(meaning), ...more });
}

type Openness = Parameters<typeof authOf>[1];

/** A sender that speaks for the one registry it is part of. */
function ofOne<const S extends string, X extends z.ZodRawShape>(
  sender: S,
  meaning: string,
  forms: readonly AuthForm[],
  open: Openness,
  more: X,
) {
  return z.strictObject({
    ...source,
    auth: authOf(forms, open),
    sender: z.literal(sender).describe(meaning),
    registry: registryKey.describe('Id of the registry that it speaks for; no other host is believed.'),
    ...more,
  });
}

/** A sender whose events each name their registry. */
function ofMany<const S extends string, X extends z.ZodRawShape>(
  sender: S,
  meaning: string,
  forms: readonly AuthForm[],
  open: Openness,
  more: X,
) {
  return z.strictObject({
    ...source,
    auth: authOf(forms, open),
    sender: z.literal(sender).describe(meaning),
    registries: oneOrMore(registryKey, 100).describe('Ids of the registries that it may name.'),
    ...more,
  });
}

const HEADERS: readonly AuthForm[] = ['bearer', 'basic', 'static-header'];
const SIGNED: readonly AuthForm[] = ['hmac', 'static-header'];
const QUERY: readonly AuthForm[] = ['query-token'];

const EVENT_GRID = {
  topic: z
    .string()
    .regex(
      /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.ContainerRegistry\/registries\/[^/]+$/i,
      {
        error: 'not the resource id of a registry; az acr show --name <name> --query id prints it',
      },
    )
    .describe('Resource id of the registry: events of any other one are refused, handshakes too.'),
  allowedOrigins: oneOrMore(z.string().min(1).max(255).toLowerCase(), 10)
    .exactOptional()
    .describe('Who may ask for consent to send; eventgrid.azure.net when absent.'),
};

const ARTIFACTORY = {
  repoKeyMap: Names.exactOptional().describe(
    'First part of the path in references by repository key, where they differ; empty where there is none.',
  ),
};

const NEXUS = {
  repositories: Names.exactOptional().describe(
    'Registry by the name of the repository in Nexus: host[:port], and the path where repositories share a port.',
  ),
};

const ALIBABA = {
  repositories: Names.exactOptional().describe('Repository by its name in payloads, where the two differ.'),
};

const SQS = {
  registries: oneOrMore(registryKey, 100).describe('Ids of the registries that it may name.'),
  queue: z
    .string()
    .regex(/^https?:\/\/[a-z0-9.:-]{1,255}\/[0-9]{12}\/[A-Za-z0-9_-]{1,80}$/, {
      error: 'not the URL of a standard queue; aws sqs get-queue-url --queue-name <name> prints it',
    })
    .describe('URL of the queue; its host is the only one that is asked.'),
  access: KeyAccess.prefault({}).describe(
    'Settings of the AWS identity by the names of their environment variables; what is absent comes from the environment.',
  ),
  giveUpAfter: wholeNumber(2, 1000)
    .default(10)
    .describe('A message that cannot be read is deleted after so many times, if no redrive policy took it before.'),
};

const NATS_URL = /^(?:nats|tls):\/\/(?:[A-Za-z0-9.-]{1,255}|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;

const NATS = {
  registry: registryKey.describe('Id of the registry that it speaks for; no other host is believed.'),
  servers: oneOrMore(
    z
      .string()
      .regex(NATS_URL, { error: 'write nats://host:port, or tls://host:port; credentials have keys of their own' }),
    20,
  ).describe('Servers of one NATS cluster.'),
  subject: z
    .string()
    .regex(/^[A-Za-z0-9_-]+(?:\.(?:[A-Za-z0-9_-]+|\*))*(?:\.>)?$/, 'not a subject of NATS')
    .max(255)
    .describe('Subject that Zot sends to: `channel` in its sink.'),
  stream: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'not the name of a stream')
    .exactOptional()
    .describe(
      'JetStream stream that keeps the subject. Absent: core NATS, which loses what is sent while nobody listens.',
    ),
  username: z.string().min(1).max(255).exactOptional().describe('User at NATS.'),
  password: SecretReference.exactOptional().describe('Password of that user, as a secret reference.'),
  token: SecretReference.exactOptional().describe('Token at NATS, as a secret reference.'),
  credentials: SecretReference.exactOptional().describe('Content of a .creds file, as a secret reference.'),
  ca: FilePath.exactOptional().describe("PEM file of the CA that signed the servers' certificates."),
};

const PULLED_SENDERS = [
  pulled('ecr-sqs', 'Amazon ECR by EventBridge, or SNS, and an SQS queue that is fetched.', SQS),
  pulled('zot-nats', 'Events of Zot over NATS, which are fetched.', NATS).superRefine((given, context) => {
    const { username, password, token, credentials } = given;
    const ways = [username ?? password, token, credentials].filter((one) => one !== undefined).length;
    const whole = (username === undefined) === (password === undefined);
    if (whole && ways <= 1) return;
    const mend = 'write username with password, or token, or credentials, or none of them';
    context.addIssue({
      code: 'custom',
      message: 'the credentials for NATS are not one of the forms',
      params: { mend },
    });
  }),
] as const;

const SENDERS = [
  ofOne('distribution', 'Notifications of CNCF Distribution.', HEADERS, 'open', {}),
  ofOne('gitlab', 'Notifications of the registry of a self-managed GitLab.', HEADERS, 'open', {}),
  ofOne('harbor', 'Webhooks of Harbor, in either format.', HEADERS, 'open', {}),
  ofOne('zot', 'Events of Zot over HTTP.', HEADERS, 'open', {}),
  ofOne('quay', 'Notifications of Quay.', QUERY, 'open', {}),
  ofOne('dockerhub', 'Webhooks of Docker Hub.', QUERY, 'open', {}),
  ofOne('github', 'Webhooks of GitHub, for its container registry.', ['hmac'], 'closed', {}),
  ofMany('ecr', 'Amazon ECR by an EventBridge API destination.', ['basic', 'static-header'], 'closed', {}),
  ofMany('ecr-sns', 'Amazon ECR by EventBridge and an SNS topic.', ['sns-signature'], 'closed', {}),
  ofOne('acr', 'Webhooks of Azure Container Registry.', HEADERS, 'closed', {}),
  ofOne(
    'acr-eventgrid',
    'Azure Container Registry by Event Grid.',
    ['query-token', 'static-header'],
    'closed',
    EVENT_GRID,
  ),
  ofMany('gar', 'Google Artifact Registry by Pub/Sub push.', ['oidc'], 'closed', {}),
  ofOne('artifactory', 'Webhooks of JFrog Artifactory.', SIGNED, 'closed', ARTIFACTORY),
  ofMany('nexus', 'Webhooks of Sonatype Nexus Repository 3.', ['hmac'], 'open', NEXUS),
  ofOne('gitea', 'Webhooks of Gitea.', SIGNED, 'closed', {}),
  ofOne('forgejo', 'Webhooks of Forgejo.', SIGNED, 'closed', {}),
  ofOne('alibaba', 'Triggers of Alibaba Cloud Container Registry.', QUERY, 'open', ALIBABA),
  ofMany('generic', 'The plain JSON body of the API, and CloudEvents.', HEADERS, 'open', {}),
  ...PULLED_SENDERS,
] as const;

/** The senders that can be configured. */
export const SENDER_IDS: readonly string[] = SENDERS.map(({ shape }) => shape.sender.value);

/** One sender of push notifications; every kind names the registries that it is bound to. */
export const SourceOptions = z.discriminatedUnion('sender', SENDERS).transform((given) => {
  if (given.sender === 'zot-nats') {
    const { registry, ...rest } = given;
    return { ...rest, auth: PULLED, registries: [registry] };
  }
  if (given.sender === 'ecr-sqs') return { ...given, auth: PULLED };
  if (!('registry' in given)) return given;
  const { registry, ...rest } = given;
  return { ...rest, registries: [registry] };
});
export type SourceOptions = z.output<typeof SourceOptions>;
export type SqsSourceOptions = Extract<SourceOptions, { sender: 'ecr-sqs' }>;
export type NatsSourceOptions = Extract<SourceOptions, { sender: 'zot-nats' }>;
