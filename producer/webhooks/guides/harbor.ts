import type { SenderGuide } from '#producer/webhooks/guide.ts';
import { jsonSample, type Paste, type Receiver, type Sample, type SampleFacts } from '#producer/webhooks/guide.ts';

export const harborGuide: SenderGuide = {
  sender: 'harbor',
  title: 'Harbor',
  sends: 'Project webhooks in the Default and in the CloudEvents format; which of them, the request itself tells.',
  proof: 'header',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No Harbor has been run against this adapter. It follows Harbor's source and documentation; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries:
    'Three failed tries and an event is gone (ten in older installations). Attestry answers 2xx to all but a wrong credential, so that only an outage costs tries.',
  hazards: [
    'An untagged push has its digest in the place of the tag; only the first tag of an artifact is told.',
    'Signatures, SBOMs and children of an index come as the same event. Tags of signatures are skipped by name, the rest by the worker.',
    'Two policies on one project send every event twice, with two ids: the second is a `duplicate` or meets its evidence.',
    'Pulls through a proxy-cache project are pushes there. Deleting a tag alone sends nothing.',
    "`resource_url` has Harbor's configured external host; it must be the registry's name, address or one of its aliases.",
  ],
  example: {
    registry: 'registry.example.com',
    source: ['registry: main', 'auth: { header: Authorization, value: env:ATTESTRY_HOOK_TOKEN }'],
  },
  paste,
  sample,
};

/** Harbor sends one header, `Authorization`, with the text of its field. */
function paste({ id, url, header, registries }: Receiver): readonly Paste[] {
  const policy = {
    name: `attestry-${id}`,
    enabled: true,
    event_types: ['PUSH_ARTIFACT', 'DELETE_ARTIFACT'],
    targets: [
      {
        type: 'http',
        address: url,
        payload_format: 'Default',
        skip_cert_verify: false,
        ...(header ? { auth_header: header.value.text } : {}),
      },
    ],
  };
  const misnamed = header !== undefined && header.name.toLowerCase() !== 'authorization';
  return [
    {
      where: `In the project under Webhooks → New webhook, once for each project${
        misnamed ? ` (Harbor sends Authorization alone: configure that header for the source, not ${header.name})` : ''
      }`,
      fields: [
        ['Name', `attestry-${id}`],
        ['Notify Type', 'http'],
        ['Payload Format', 'Default (or CloudEvents)'],
        ['Event Type', 'Artifact pushed, Artifact deleted'],
        ['Endpoint URL', url],
        ['Auth Header', header?.value.text ?? '(empty)'],
        ['Verify Remote Certificate', 'on'],
      ],
    },
    {
      where: `Or by Harbor's API: POST https://${registries[0] ?? 'harbor.example.com'}/api/v2.0/projects/<project>/webhook/policies`,
      language: 'json',
      text: JSON.stringify(policy, null, 2),
    },
  ];
}

function sample({ image, at }: SampleFacts): Sample {
  const { registry, repository, tag, digest } = image;
  const seconds = Math.floor(at.getTime() / 1000);
  const [namespace = '', ...rest] = repository.split('/');
  return jsonSample({
    type: 'PUSH_ARTIFACT',
    occur_at: seconds,
    operator: 'attestry-trial',
    event_data: {
      resources: [{ digest, tag, resource_url: `${registry}/${repository}:${tag}` }],
      repository: {
        date_created: seconds,
        name: rest.join('/'),
        namespace,
        repo_full_name: repository,
        repo_type: 'private',
      },
    },
  });
}
