import { jsonSample, type Paste, type Receiver, type SenderGuide } from '#producer/webhooks/guide.ts';

/** The guide of Gitea, and of Forgejo, which is a fork of it: `name` is what the pages of the forge call it. */
export function forgeGuide(sender: string, name: string, triedHow: string): SenderGuide {
  return {
    sender,
    title: name,
    sends: `The \`package\` event of a webhook of ${name}.`,
    proof: 'HMAC-SHA256, or header',
    digest: 'untagged pushes only',
    tried: 'documentation',
    triedHow,
    retries: 'Each event is tried once; *Recent Deliveries* sends it again.',
    hazards: [
      'Signature headers are sent without a secret as well, and then empty: such a delivery is refused.',
      'Tagged pushes tell no digest: the worker looks the tag up. Every manifest of an index is announced; untagged ones are skipped.',
      'Early releases send nothing for packages without a linked repository.',
      'Private addresses are refused as targets unless `[webhook] ALLOWED_HOST_LIST` of the forge names them.',
    ],
    example: { registry: 'git.example.com', source: ['registry: main', 'auth: { hmac: env:ATTESTRY_FORGE_SECRET }'] },
    paste: (receiver) => paste(sender, name, receiver),
    check: () =>
      'The page of the webhook has "Test delivery", which sends a push of code: it is skipped as `unsupported-event`.',
    sample: ({ image: { repository, tag }, id, at }) => {
      const [login = '', ...rest] = repository.split('/');
      return jsonSample(
        {
          action: 'created',
          repository: null,
          package: {
            id: 1,
            owner: { id: 1, login },
            type: 'container',
            name: rest.join('/'),
            version: tag,
            created_at: at.toISOString(),
          },
          sender: { id: 1, login: 'attestry-trial' },
        },
        { [`x-${sender}-event`]: 'package', [`x-${sender}-delivery`]: id },
      );
    },
  };
}

function paste(sender: string, name: string, { url, signingSecret, header, registries }: Receiver): readonly Paste[] {
  const secret = signingSecret?.text;
  const authorization = header?.name.toLowerCase() === 'authorization' ? header.value.text : undefined;
  const hook = {
    type: sender,
    active: true,
    events: ['package'],
    config: { url, content_type: 'json', ...(secret === undefined ? {} : { secret }) },
    ...(authorization === undefined ? {} : { authorization_header: authorization }),
  };
  const misnamed = header !== undefined && authorization === undefined;
  return [
    {
      where: `In the organisation, user or linked repository under Settings → Webhooks → Add webhook → ${name}${
        misnamed ? ` (it can send Authorization alone: configure that header for the source, not ${header.name})` : ''
      }`,
      fields: [
        ['Target URL', url],
        ['HTTP method', 'POST'],
        ['POST content type', 'application/json'],
        ['Secret', secret ?? '(empty)'],
        ['Trigger on', 'Custom events: Package'],
        ['Authorization header', authorization ?? '(empty)'],
        ['Active', 'on'],
      ],
    },
    {
      where: `Or by its API: POST https://${registries[0] ?? 'git.example.com'}/api/v1/orgs/<organisation>/hooks`,
      language: 'json',
      text: JSON.stringify(hook, null, 2),
    },
  ];
}
