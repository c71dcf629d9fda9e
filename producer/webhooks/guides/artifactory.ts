import type { SenderGuide } from '#producer/webhooks/guide.ts';
import { jsonSample, type Paste, type Receiver, type Sample, type SampleFacts } from '#producer/webhooks/guide.ts';

export const artifactoryGuide: SenderGuide = {
  sender: 'artifactory',
  title: 'JFrog Artifactory',
  sends: 'The predefined webhook of the domain `docker`.',
  proof: 'HMAC-SHA256, or header',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No Artifactory has been run against this adapter. It follows JFrog's documentation; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries: 'When it sends again, and for how long it waits, is not documented: take every event as told once.',
  hazards: [
    'Do not subscribe to the domain `artifact` as well: those events are skipped, and double the traffic.',
    'Pulls through a remote repository are told as pushes to its cache: choose local repositories only.',
    '`image_type: oci` without a list of platforms is skipped as `artifact-not-image`, since charts say the same. Images in repositories of the type OCI may be meant: announce them by `POST /v1/images`.',
    "`jpd_origin` is compared with the registry's hosts: where images have a host of their own, add the platform's host to the aliases.",
    'Custom webhooks with their own payload are not understood. `promoted` is skipped as `not-a-push`. Private addresses are refused as targets unless the platform allows them.',
  ],
  example: {
    registry: 'artifactory.example.com',
    source: [
      'registry: main',
      'auth: { hmac: env:ATTESTRY_ARTIFACTORY_SECRET }',
      '# Where references have another first part than the repository key; empty for access by subdomain or port.',
      'repoKeyMap: { docker-local: docker }',
    ],
  },
  paste,
  check: () => 'The form of the webhook has "Test"; what it sends is made up, and told as skipped or refused.',
  sample,
};

function paste({ id, url, signingSecret, header, registries, settings }: Receiver): readonly Paste[] {
  const keys = Object.keys(settings.repoKeyMap ?? {});
  const secret = signingSecret?.text ?? header?.value.text ?? '';
  const signs = signingSecret !== undefined;
  const subscription = {
    key: `attestry-${id}`,
    description: 'Tells Attestry of pushed images',
    enabled: true,
    event_filter: {
      domain: 'docker',
      event_types: ['pushed', 'deleted'],
      criteria: {
        anyLocal: keys.length === 0,
        anyRemote: false,
        repoKeys: keys,
        includePatterns: [],
        excludePatterns: [],
      },
    },
    handlers: [{ handler_type: 'webhook', url, secret, use_secret_for_signing: signs }],
  };
  return [
    {
      where: 'In the platform under Administration → General → Webhooks → New',
      fields: [
        ['Name', `attestry-${id}`],
        ['URL', url],
        ['Events', 'Docker: Tag was pushed, Tag was deleted'],
        ['Repositories', keys.length === 0 ? 'any local' : keys.join(', ')],
        ['Secret token', secret],
        ['Use secret for payload signing', signs ? 'on' : 'off: the header holds the secret itself'],
      ],
    },
    {
      where: `Or by its API: POST https://${registries[0] ?? 'artifactory.example.com'}/event/api/v1/subscriptions`,
      language: 'json',
      text: JSON.stringify(subscription, null, 2),
    },
  ];
}

function sample({ image, receiver }: SampleFacts): Sample {
  const { registry, repository, tag, digest } = image;
  const { key, path } = place(repository, receiver.settings.repoKeyMap ?? {});
  return jsonSample({
    domain: 'docker',
    event_type: 'pushed',
    data: {
      image_name: path,
      image_type: 'docker',
      name: 'manifest.json',
      path: `${path}/${tag}/manifest.json`,
      platforms: [],
      repo_key: key,
      sha256: digest.replace(/^sha256:/, ''),
      size: 1206,
      tag,
    },
    subscription_key: `attestry-${receiver.id}`,
    jpd_origin: `https://${registry}`,
    source: 'jfrog/attestry-trial',
  });
}

/** The repository key that stands for the first part of a reference, and the rest. */
function place(repository: string, keys: Readonly<Record<string, string>>): { key: string; path: string } {
  for (const [key, first] of Object.entries(keys)) {
    if (first === '') return { key, path: repository };
    if (repository.startsWith(`${first}/`)) return { key, path: repository.slice(first.length + 1) };
  }
  const [key = '', ...rest] = repository.split('/');
  return { key, path: rest.join('/') };
}
