import { jsonSample, type SenderGuide } from '#producer/webhooks/guide.ts';

export const alibabaGuide: SenderGuide = {
  sender: 'alibaba',
  title: 'Alibaba Cloud Container Registry',
  sends: 'The trigger of a repository, for new and updated tags.',
  proof: 'address',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No Alibaba registry has been run against this adapter. It follows Alibaba's documentation; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries: 'When it sends again is not documented: take every event as told once.',
  hazards: [
    'The payload names no host: use one source for each registry.',
    'Names with upper-case letters are skipped as `invalid-repository`; `repositories: { Example/App: example/app }` says what is meant.',
    'Nothing is signed; the secret is in the address. Attestry logs no addresses; make sure that proxies before it do not either.',
    'Nothing is sent for deletes, nor for pushes without a tag. Targets are reached on port 443 alone, with a certificate of a public CA.',
  ],
  example: {
    registry: 'registry.cn-hangzhou.aliyuncs.com',
    source: ['registry: main', 'auth: { query: { parameter: secret, value: env:ATTESTRY_HOOK_TOKEN } }'],
  },
  paste: ({ id, address }) => [
    {
      where: 'In the console in the repository under Trigger → Create, once for each repository',
      fields: [
        ['Name', `attestry-${id}`],
        ['Trigger URL', address.text],
        ['Trigger', 'All'],
      ],
    },
  ],
  check: () => 'The list of triggers has "Access Records" beside each one.',
  sample: ({ image: { repository, tag, digest }, at, receiver }) => {
    const renamed = Object.entries(receiver.settings.repositories ?? {}).find(([, name]) => name === repository);
    const full = renamed?.[0] ?? repository;
    const [namespace = '', ...rest] = full.split('/');
    return jsonSample({
      push_data: { digest, pushed_at: at.toISOString().slice(0, 19).replace('T', ' '), tag },
      repository: {
        name: rest.join('/'),
        namespace,
        region: 'cn-hangzhou',
        repo_full_name: full,
        repo_type: 'PRIVATE',
      },
    });
  },
};
