import { envelopeSample } from '#producer/webhooks/envelope-sample.ts';
import type { Receiver, SenderGuide } from '#producer/webhooks/guide.ts';

export const distributionGuide: SenderGuide = {
  sender: 'distribution',
  title: 'CNCF Distribution',
  sends:
    'Notifications of `registry:2` and `registry:3`. Each event tells repository, tag, digest, media type and who pushed.',
  proof: 'header',
  digest: 'yes',
  tried: 'run',
  triedHow:
    'Registry 2.8.2 notifies the intake in the tests, also with the very text that `attestry hooks setup` prints: pushed images, our own pushes and tags of evidence, and an outage of Redis during which nothing is lost. Version 3 follows its source.',
  retries:
    'It repeats for ever, in order, whatever is not 2xx: one refused event holds up all later ones. Attestry answers 2xx to all but a wrong credential, tells of a 401 at once, and answers 503 while Redis is away.',
  hazards: [
    'A wrong credential stops every later event until it is mended.',
    'Its queue is in memory: a restart of the registry loses what it had not delivered.',
    'The event comes before the tag can be looked up. Attestry acts on the digest of the event.',
    '`request.host` and `target.url` are what the pushing client wrote. Add every host by which clients call the registry to its `aliases`; events with another one are skipped as `host-not-allowed`.',
  ],
  example: {
    registry: 'registry.example.com',
    source: ['registry: main', 'auth: { bearer: env:ATTESTRY_HOOK_TOKEN }'],
  },
  paste: (receiver) => [
    {
      where: 'In the configuration of the registry (config.yml), beside `http` and `storage`; then restart it',
      language: 'yaml',
      text: notifications(receiver),
    },
  ],
  sample: envelopeSample,
};

function notifications({ id, url, header }: Receiver): string {
  return [
    'notifications:',
    '  endpoints:',
    `    - name: attestry-${id}`,
    `      url: ${JSON.stringify(url)}`,
    ...(header
      ? ['      headers:', `        ${JSON.stringify(header.name)}: [${JSON.stringify(header.value.text)}]`]
      : []),
    '      timeout: 1s',
    '      threshold: 10',
    '      backoff: 1s',
    '      ignore:',
    '        actions: [pull, mount]',
    '        mediatypes: [application/octet-stream]',
  ].join('\n');
}
