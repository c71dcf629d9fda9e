import { jsonSample, type SenderGuide } from '#producer/webhooks/guide.ts';

export const dockerhubGuide: SenderGuide = {
  sender: 'dockerhub',
  title: 'Docker Hub',
  sends: 'The webhook of a Docker Hub repository. It tells a tag and no digest.',
  proof: 'address',
  digest: 'no',
  tried: 'documentation',
  triedHow:
    "No delivery of Docker Hub has been run against this adapter. It follows Docker's documentation; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries: 'When it sends again, and for how long it waits, Docker does not say: take every event as told once.',
  hazards: [
    'Docker Hub has no signature, secret or header: the address is the secret. Attestry logs no addresses; make sure that proxies before it do not either.',
    '`callback_url` of the payload is never called.',
    'One build for several platforms may send several deliveries; one job waits for the tag at a time.',
    'The worker looks the tag up and pins the digest that it finds.',
  ],
  example: {
    registry: 'docker.io',
    source: ['registry: main', 'auth: { query: { parameter: token, value: env:ATTESTRY_HOOK_TOKEN } }'],
  },
  paste: ({ id, address }) => [
    {
      where: 'On hub.docker.com in the repository under Webhooks, once for each repository',
      fields: [
        ['Webhook name', `attestry-${id}`],
        ['Webhook URL', address.text],
      ],
    },
  ],
  check: () => 'Push an image; the page Webhooks lists each delivery under "History".',
  sample: ({ image: { repository, tag }, at }) => {
    const [namespace = '', ...rest] = repository.split('/');
    return jsonSample({
      push_data: { pushed_at: Math.floor(at.getTime() / 1000), images: [], tag, pusher: 'attestry-trial' },
      repository: {
        status: 'Active',
        repo_url: `https://hub.docker.com/r/${repository}`,
        owner: namespace,
        name: rest.join('/'),
        namespace,
        repo_name: repository,
      },
    });
  },
};
