import type { Receiver, SenderGuide } from '#producer/webhooks/guide.ts';
import { zotGuide } from '#producer/webhooks/guides/zot.ts';

export const zotNatsGuide: SenderGuide = {
  sender: 'zot-nats',
  title: 'Zot over NATS',
  sends:
    'The `events` extension with a NATS sink: structured CloudEvents on one subject. Attestry subscribes; nothing of it need be reachable from outside.',
  proof: 'the connection to NATS',
  digest: 'yes',
  tried: 'run',
  triedHow:
    "The tests run a real `nats-server`, with JetStream and without, stopped and started again between. What is sent are the recorded deliveries, made from Zot's source: no Zot itself has been run against it.",
  retries:
    'With `stream`, a message is acknowledged when its job is in Redis, and comes again until then: from the stream, also after a downtime of Attestry. Without `stream` it is sent at most once, and what is sent while Attestry is down is lost.',
  hazards: [
    'Prefer JetStream: name a stream that keeps the subject. Core NATS delivers at most once. Zot itself tries each event once in any case: what is sent while NATS is down is lost.',
    'Whoever may publish on the subject may name images to look at: grant that to Zot alone.',
    'The durable consumer is called `attestry-<id>`, and several producers share it. One that was made by hand with other settings is refused: delete it.',
    'A message that cannot be read is kept for `attestry hooks deliveries`, and not asked for again.',
  ],
  example: {
    registry: 'registry.example.com',
    source: [
      'registry: main',
      'servers: tls://nats.example.com:4222',
      'subject: zot.events',
      'stream: ZOT',
      'username: attestry',
      'password: env:ATTESTRY_NATS_PASSWORD',
    ],
  },
  paste: (receiver) => [
    {
      where: 'In the configuration of Zot (config.json), merged with what is there; then restart it',
      language: 'json',
      text: JSON.stringify(events(receiver), null, 2),
    },
    {
      where: 'Once, with the command line of NATS, so that nothing is lost while Attestry is down',
      language: 'sh',
      text: 'nats stream add ZOT --subjects zot.events --storage file --retention limits --max-age 7d --max-bytes 1GiB --discard old --defaults',
    },
  ],
  sample: (facts) => {
    const { headers, body } = zotGuide.sample(facts);
    const { 'ce-id': id, 'ce-type': type, 'ce-source': source, 'ce-time': time } = headers;
    const event = { specversion: '1.0', id, source, type, time, datacontenttype: 'application/json' };
    return {
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({ ...event, data: JSON.parse(body) as unknown }),
    };
  },
};

function events({ pulled }: Receiver): object {
  const credentials = { username: 'zot', password: '<password of zot at NATS>' };
  const sink = {
    type: 'nats',
    address: pulled?.from ?? 'nats://nats.example.com:4222',
    channel: pulled?.subject ?? 'zot.events',
    timeout: '10s',
    credentials,
  };
  return { extensions: { events: { enable: true, sinks: [sink] } } };
}
