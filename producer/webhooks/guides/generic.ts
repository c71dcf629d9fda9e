import { jsonSample, type Receiver, type SenderGuide } from '#producer/webhooks/guide.ts';

export const genericGuide: SenderGuide = {
  sender: 'generic',
  title: 'Our own body and CloudEvents',
  sends:
    'For CI, for registries without a webhook and for anything else that can send JSON: `{ "image": "host/repository:tag@sha256:…" }`, a list of those, or CloudEvents 1.0 in structured, batch or binary mode. `POST /v1/images` takes the same.',
  proof: 'header',
  digest: 'if given',
  tried: 'run',
  triedHow:
    'The tests post every form to the HTTP application; the sender is whoever calls, so that there is no other to run.',
  retries:
    'They are the caller’s: an answer of 503 with `Retry-After` means that nothing was accepted. `Idempotency-Key` makes a repetition of the same request a `duplicate`.',
  hazards: [
    'The host is never implied: `app:1.0` is refused with `missing-host`.',
    'A caller names images of any registry that the source is bound to; a tag that it claims for a digest is looked up before a rule believes it.',
    'Mistakes are answered 400 or 422 with `reason` and `message`, since a person or a pipeline reads them.',
  ],
  example: {
    registry: 'registry.example.com',
    source: ['registries: main', 'auth: { bearer: env:ATTESTRY_HOOK_TOKEN }', 'digestOnly: enqueue'],
  },
  paste: (receiver) => [
    { where: 'In the pipeline, after the push', language: 'sh', text: plain(receiver) },
    { where: 'Or as a CloudEvent', language: 'sh', text: cloudEvent(receiver) },
  ],
  sample: ({ image: { registry, repository, tag, digest } }) =>
    jsonSample({ image: `${registry}/${repository}:${tag}@${digest}` }),
};

function plain(receiver: Receiver): string {
  return curl(receiver, ['"Content-Type: application/json"'], `{\\"image\\":\\"${image(receiver)}\\"}`);
}

function cloudEvent(receiver: Receiver): string {
  const headers = [
    '"Content-Type: application/json"',
    '"ce-specversion: 1.0"',
    '"ce-type: com.example.image.pushed.v1"',
    '"ce-source: /ci/$CI_PROJECT"',
    '"ce-id: $CI_JOB"',
  ];
  return curl(receiver, headers, `{\\"image\\":\\"${image(receiver)}\\"}`);
}

function curl({ url, header, basic }: Receiver, headers: readonly string[], data: string): string {
  const proof = basic
    ? [`--user "${basic.username}:${basic.password.shell}"`]
    : header
      ? [`--header "${header.name}: ${header.value.shell}"`]
      : [];
  const options = [...proof, ...headers.map((line) => `--header ${line}`), `--data "${data}"`];
  return [`curl --fail-with-body ${url}`, ...options.map((option) => `  ${option}`)].join(' \\\n');
}

function image({ registries }: Receiver): string {
  return `${registries[0] ?? 'registry.example.com'}/$REPOSITORY:$TAG@$DIGEST`;
}
