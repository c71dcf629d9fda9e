import { jsonSample, type SenderGuide } from '#producer/webhooks/guide.ts';

export const quayGuide: SenderGuide = {
  sender: 'quay',
  title: 'Quay',
  sends: 'The "Push to Repository" notification of Quay and quay.io: tags without digests.',
  proof: 'address',
  digest: 'no',
  tried: 'documentation',
  triedHow:
    "No Quay has been run against this adapter. It follows Quay's source; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries:
    'Tries are thirty seconds apart. After three failures Quay switches the notification off until a person resets it: one event during an outage of ninety seconds is enough. Look at it after every outage.',
  hazards: [
    'Quay signs nothing and sends no header of ours; the secret is in the address. Attestry logs no addresses; make sure that proxies before it do not either.',
    'There is no digest: the worker looks the tag up and pins what it finds.',
    'A push by digest, and so a referrer, sends nothing. Nothing is sent for deletes.',
    'A JSON template that changes the body is not understood.',
  ],
  example: {
    registry: 'quay.io',
    source: ['registry: main', 'auth: { query: { parameter: token, value: env:ATTESTRY_HOOK_TOKEN } }'],
  },
  paste: ({ id, address, registries }) => [
    {
      where:
        'In the repository under Settings → Events and Notifications → Create Notification, once for each repository',
      fields: [
        ['Event', 'Push to Repository'],
        ['Method', 'Webhook POST'],
        ['Title', `attestry-${id}`],
        ['Webhook URL', address.text],
        ['JSON template', '(empty)'],
      ],
    },
    {
      where: "Or by Quay's API, with a token that administers the repository",
      language: 'sh',
      text: [
        `curl --fail-with-body "https://${registries[0] ?? 'quay.io'}/api/v1/repository/$REPOSITORY/notification/" \\`,
        '  --header "Authorization: Bearer $QUAY_TOKEN" --header "Content-Type: application/json" \\',
        `  --data "{\\"event\\":\\"repo_push\\",\\"method\\":\\"webhook\\",\\"title\\":\\"attestry-${id}\\",\\"eventConfig\\":{},\\"config\\":{\\"url\\":\\"${address.shell}\\"}}"`,
      ].join('\n'),
    },
  ],
  check: () => 'In the list of notifications, the gear beside it has "Test Notification".',
  sample: ({ image: { registry, repository, tag } }) => {
    const [namespace = '', ...rest] = repository.split('/');
    return jsonSample({
      repository,
      namespace,
      name: rest.join('/'),
      docker_url: `${registry}/${repository}`,
      homepage: `https://${registry}/repository/${repository}`,
      updated_tags: [tag],
    });
  },
};
