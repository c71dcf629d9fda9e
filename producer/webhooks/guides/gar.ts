import { jsonSample, type Receiver, type SenderGuide } from '#producer/webhooks/guide.ts';

export const garGuide: SenderGuide = {
  sender: 'gar',
  title: 'Google Artifact Registry',
  sends:
    "A Pub/Sub push subscription to the topic `gcr`, for Artifact Registry and Container Registry. The events name their registry; one source may speak for several. Payload unwrapping is understood; with it, turn on the writing of metadata, which carries the message id. Outgoing HTTPS to `www.googleapis.com` must be open: Google's keys are fetched there and kept for an hour.",
  proof: 'token of Google, and account',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No Pub/Sub has been run against this adapter. Tokens are checked with true RS256 signatures and a key set made for the tests; the rest follows Google's documentation.",
  retries:
    "What is not acknowledged comes again until the topic's retention ends (7 days) and slows down good messages, so that events that cannot be read are acknowledged.",
  hazards: [
    'Any Google customer can obtain a valid token for your audience: the service account is what tells yours.',
    'A tagged push may come as an event without a tag and one with it. Helm charts look like images; the worker tells them apart.',
  ],
  example: {
    registry: 'europe-docker.pkg.dev',
    source: [
      'registries: main',
      'auth:',
      '  audience: https://attestry.example.com/hooks/gar',
      '  email: pubsub-push@example-project.iam.gserviceaccount.com',
    ],
  },
  paste: (receiver) => [
    { where: 'In a shell with the Google Cloud CLI, once in each project', language: 'sh', text: script(receiver) },
  ],
  check: ({ id }) =>
    `gcloud pubsub subscriptions describe attestry-${id}; the subscription's metric push_request_count tells what was answered.`,
  sample: ({ image, id, at }) => {
    const { registry, repository, tag, digest } = image;
    const name = `${registry}/${repository}`;
    const data = { action: 'INSERT', digest: `${name}@${digest}`, tag: `${name}:${tag}` };
    return jsonSample({
      message: {
        data: Buffer.from(JSON.stringify(data)).toString('base64'),
        messageId: id,
        publishTime: at.toISOString(),
      },
      subscription: 'projects/example-project/subscriptions/attestry',
    });
  },
};

/** A service account's address names its project: name@project.iam.gserviceaccount.com. */
function script({ id, url, audience = url, emails = [] }: Receiver): string {
  const [email = 'pubsub-push@PROJECT.iam.gserviceaccount.com'] = emails;
  const [, name, project] = /^([^@]+)@([^.]+)\.iam\.gserviceaccount\.com$/.exec(email) ?? [];
  return [
    ...(project === undefined ? [] : [`gcloud config set project ${project}`]),
    ...(name === undefined ? [] : [`gcloud iam service-accounts create ${name}`]),
    'gcloud pubsub topics create gcr   # the name is fixed; where the topic is there already, go on',
    `gcloud pubsub subscriptions create attestry-${id} --topic gcr --ack-deadline 30 \\`,
    `  --push-endpoint ${url} \\`,
    `  --push-auth-service-account ${email} \\`,
    `  --push-auth-token-audience ${audience}`,
  ].join('\n');
}
