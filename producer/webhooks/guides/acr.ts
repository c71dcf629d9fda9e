import { acrName, acrSample } from '#producer/webhooks/acr-sample.ts';
import { jsonSample, type Receiver, type SenderGuide } from '#producer/webhooks/guide.ts';

export const acrGuide: SenderGuide = {
  sender: 'acr',
  title: 'Azure Container Registry, webhook',
  sends: 'The webhook of a registry. Where lost events matter, take [Event Grid](acr-eventgrid.md), which repeats.',
  proof: 'header',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No Azure registry has been run against this adapter. It follows Microsoft's reference; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries: 'Each event is tried once, with five seconds of patience.',
  hazards: [
    'Azure signs nothing: without the header the source cannot be authenticated.',
    "`request.host` is what the pushing client wrote; it must be the registry's name, address or one of its aliases.",
    'Deleting a tag alone sends nothing.',
  ],
  example: { registry: 'example.azurecr.io', source: ['registry: main', 'auth: { bearer: env:ATTESTRY_HOOK_TOKEN }'] },
  paste: (receiver) => [{ where: 'In a shell with the Azure CLI', language: 'sh', text: script(receiver) }],
  check: ({ id, registries }) =>
    `az acr webhook ping --registry ${acrName(registries[0])} --name ${hookName(id)}: the ping is answered 200 and told as \`handshake\`.`,
  sample: (facts) => jsonSample(acrSample(facts)),
};

function script({ id, url, header, registries }: Receiver): string {
  return [
    `az acr webhook create --registry ${acrName(registries[0])} --name ${hookName(id)} --actions push delete \\`,
    `  --uri ${url}${header ? ' \\' : ''}`,
    ...(header ? [`  --headers "${header.name}=${header.value.shell}"`] : []),
  ].join('\n');
}

/** Azure takes letters and digits, 5 to 50 of them. */
function hookName(id: string): string {
  return `attestry${id.replace(/[^A-Za-z0-9]/g, '')}`.slice(0, 50);
}
