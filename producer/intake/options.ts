import * as z from 'zod';
import { OwnBudget } from '#model/budget.ts';
import { Id, oneOrMore, Pattern, wholeNumber } from '#model/settings.ts';
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
  budget: OwnBudget.exactOptional().describe('What all workers together may do for it; absent: worker.budgets.'),
};

// A registry without an id is called by its name, which may hold a port.
const registryKey = z.string().min(1).max(255);

const Names = z.record(z.string().min(1).max(255), z.string().max(512));

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
] as const;

/** The senders that can be configured. */
export const SENDER_IDS: readonly string[] = SENDERS.map(({ shape }) => shape.sender.value);

/** One sender of push notifications; every kind names the registries that it is bound to. */
export const SourceOptions = z.discriminatedUnion('sender', SENDERS).transform((given) => {
  if (!('registry' in given)) return given;
  const { registry, ...rest } = given;
  return { ...rest, registries: [registry] };
});
export type SourceOptions = z.output<typeof SourceOptions>;
