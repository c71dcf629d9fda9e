import {
  jsonSample,
  type Receiver,
  type Sample,
  type SampleFacts,
  type SenderGuide,
} from '#producer/webhooks/guide.ts';

export const zotGuide: SenderGuide = {
  sender: 'zot',
  title: 'Zot',
  sends:
    'The `events` extension: CloudEvents in binary mode over HTTP. The event holds the whole manifest, so that a referrer or an artifact is skipped at once. Zot can send over NATS in its place: [Zot over NATS](zot-nats.md).',
  proof: 'basic, header',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No Zot has been run against this adapter. It follows Zot's source and its own tests; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries: 'Each event is tried once. What is sent while Attestry is down is lost to the intake.',
  hazards: [
    'Nothing in the event tells which registry sent it: use one source for each Zot.',
    'A tag pushed again with the digest that it has sends nothing. A push that fails Zot’s lint sends `lint_failed`, which is skipped.',
    'The manifest in the event is believed only when it hashes to the digest; the worker reads the real one in any case.',
  ],
  example: {
    registry: 'registry.example.com',
    source: ['registry: main', 'auth: { basic: { username: zot-hook, password: env:ATTESTRY_HOOK_PASSWORD } }'],
  },
  paste: (receiver) => [
    {
      where: 'In the configuration of Zot (config.json), merged with what is there; then restart it',
      language: 'json',
      text: JSON.stringify(events(receiver), null, 2),
    },
  ],
  sample,
};

function events({ url, header, basic }: Receiver): object {
  const proof = basic
    ? { credentials: { username: basic.username, password: basic.password.text } }
    : header
      ? { headers: { [header.name]: header.value.text } }
      : {};
  const sink = { type: 'http', address: url, timeout: '10s', ...proof };
  return { extensions: { events: { enable: true, sinks: [sink] } } };
}

function sample({ image, id, at }: SampleFacts): Sample {
  const { repository, tag, digest } = image;
  const data = {
    actor: { name: 'attestry-trial' },
    digest,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    name: repository,
    reference: tag,
  };
  return jsonSample(data, {
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': 'zotregistry.dev',
    'ce-type': 'zotregistry.image.updated',
    'ce-time': at.toISOString(),
  });
}
