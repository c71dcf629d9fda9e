import { OCI_CONFIG, OCI_MANIFEST } from '#model/media-types.ts';
import type { SenderGuide } from '#producer/webhooks/guide.ts';
import { jsonSample, type Paste, type Receiver, type Sample, type SampleFacts } from '#producer/webhooks/guide.ts';

export const githubGuide: SenderGuide = {
  sender: 'github',
  title: 'GitHub Container Registry',
  sends:
    '`package` events of GitHub webhooks, and `registry_package`, their older name, from a repository, an organisation or an app.',
  proof: 'HMAC-SHA256',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No delivery of GitHub has been run against this adapter. It follows GitHub's documentation and its published payloads; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries:
    'GitHub sends once and never again by itself. *Recent Deliveries* shows what failed and sends it again; a repetition whose first try failed counts.',
  hazards: [
    'One event comes for each manifest, so that a push for two platforms is several events: untagged ones are skipped, the index carries the tag.',
    'When a manifest gets several tags at once, perhaps only one is told. Deletes have not been seen to send an event.',
    'Owner names are put into lower case, as references write them.',
  ],
  example: { registry: 'ghcr.io', source: ['registry: main', 'auth: { hmac: env:ATTESTRY_GITHUB_SECRET }'] },
  paste,
  check: () => 'The ping that GitHub sends at once is answered 200 and told as `handshake`.',
  sample,
};

function paste({ url, signingSecret }: Receiver): readonly Paste[] {
  return [
    {
      where: 'In the organisation or repository under Settings → Webhooks → Add webhook',
      fields: [
        ['Payload URL', url],
        ['Content type', 'application/json'],
        ['Secret', signingSecret?.text ?? ''],
        ['SSL verification', 'enabled'],
        ['Which events', 'Let me select individual events: Packages (and Registry packages where it is offered)'],
        ['Active', 'on'],
      ],
    },
    {
      where: 'Or with the GitHub CLI, for an organisation (for a repository: repos/OWNER/REPO/hooks)',
      language: 'sh',
      text: [
        'gh api --method POST "orgs/$ORGANISATION/hooks" \\',
        "  -f name=web -F active=true -f 'events[]=package' -f 'events[]=registry_package' \\",
        `  -f "config[url]=${url}" -f "config[content_type]=json" \\`,
        `  -f "config[secret]=${signingSecret?.shell ?? ''}"`,
      ].join('\n'),
    },
  ];
}

function sample({ image, id, at }: SampleFacts): Sample {
  const { repository, tag, digest } = image;
  const [owner = '', ...rest] = repository.split('/');
  const name = rest.join('/');
  const event = {
    action: 'published',
    package: {
      id: 1,
      name,
      namespace: owner,
      ecosystem: 'CONTAINER',
      package_type: 'CONTAINER',
      created_at: at.toISOString(),
      owner: { login: owner, type: 'Organization' },
      package_version: {
        id: 1,
        version: digest,
        container_metadata: {
          tag: { name: tag, digest },
          manifest: { digest, media_type: OCI_MANIFEST, config: { media_type: OCI_CONFIG } },
        },
      },
      package_url: `ghcr.io/${repository}:${tag}`,
    },
    sender: { login: 'attestry-trial', type: 'Bot' },
  };
  return jsonSample(event, { 'x-github-event': 'package', 'x-github-delivery': id });
}
