import type { SenderGuide } from '#producer/webhooks/guide.ts';
import { jsonSample, type Paste, type Receiver, type Sample, type SampleFacts } from '#producer/webhooks/guide.ts';

export const nexusGuide: SenderGuide = {
  sender: 'nexus',
  title: 'Sonatype Nexus Repository 3',
  sends: 'The repository webhook for components. It tells neither host nor digest.',
  proof: 'HMAC-SHA1',
  digest: 'no',
  tried: 'documentation',
  triedHow:
    "No Nexus has been run against this adapter. It follows Sonatype's documentation, where the values for docker are inferred; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries: 'When it sends again, and for how long it waits, is not documented: take every event as told once.',
  hazards: [
    '`repositories` must name every repository that counts; without it the only registry of the source is meant. A repository that is not named is skipped as `host-not-allowed`.',
    'The signature is an HMAC with SHA-1. It is checked over the bytes as sent, and then over the JSON without whitespace, as Sonatype documents it.',
    'The worker looks the tag up and pins the digest that it finds.',
    'In a cluster only the node that took the push sends. Asset events are skipped.',
  ],
  example: {
    registry: 'registry.example.com',
    source: [
      'registries: main',
      '# Each repository has its own port or path.',
      'repositories: { docker-hosted: registry.example.com }',
      'auth: { hmac: env:ATTESTRY_NEXUS_SECRET }',
    ],
  },
  paste,
  sample,
};

function paste({ url, signingSecret, settings }: Receiver): readonly Paste[] {
  const names = Object.keys(settings.repositories ?? {});
  return [
    {
      where:
        'Under Settings → System → Capabilities → Create capability → Webhook: Repository, once for each docker repository',
      fields: [
        ['Repository', names.length === 0 ? '<the docker repository>' : names.join('; then another one for ')],
        ['Event Types', 'component'],
        ['URL', url],
        ['Secret Key', signingSecret?.text ?? '(empty)'],
      ],
    },
  ];
}

function sample({ image, id, at, receiver }: SampleFacts): Sample {
  const { registry, repository, tag } = image;
  const { name, path } = place(`${registry}/${repository}`, receiver.settings.repositories ?? {});
  return jsonSample(
    {
      timestamp: at.toISOString().replace('Z', '+0000'),
      nodeId: 'attestry-trial',
      initiator: 'attestry-trial/192.0.2.10',
      repositoryName: name,
      action: 'CREATED',
      component: { id, format: 'docker', name: path ?? repository, group: null, version: tag },
    },
    { 'x-nexus-webhook-id': 'rm:repository:component', 'x-nexus-webhook-delivery': id },
  );
}

/** The repository of Nexus whose host and path an image lies under, and the rest of its name. */
function place(image: string, repositories: Readonly<Record<string, string>>): { name: string; path?: string } {
  for (const [name, prefix] of Object.entries(repositories)) {
    if (image.startsWith(`${prefix}/`)) return { name, path: image.slice(prefix.length + 1) };
  }
  return { name: 'docker-hosted' };
}
