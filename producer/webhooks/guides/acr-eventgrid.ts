import { acrSample } from '#producer/webhooks/acr-sample.ts';
import { jsonSample, type Receiver, type SenderGuide } from '#producer/webhooks/guide.ts';

export const acrEventgridGuide: SenderGuide = {
  sender: 'acr-eventgrid',
  title: 'Azure Container Registry, Event Grid',
  sends: 'An Event Grid subscription in the Event Grid schema or in CloudEvents 1.0, with both handshakes.',
  proof: 'address or header, and topic',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No Event Grid has been run against this adapter. It follows Microsoft's documentation; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries:
    'At most thirty tries within a day. 400 and 413 give a whole batch up at once; endpoints that fail are put off for hours, new events included.',
  hazards: [
    'Any Azure customer can aim a subscription at you: events and handshakes of another resource are refused with 403.',
    'The validation is answered with 200 and `validationResponse`; `validationUrl` and callbacks are never called.',
    'In sovereign clouds set `allowedOrigins`.',
    'Tokens of Entra ID are not checked: use the secret, in the address or in a delivery property (a static header).',
  ],
  example: {
    registry: 'example.azurecr.io',
    source: [
      'registry: main',
      'topic: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/example',
      'auth: { query: { parameter: code, value: env:ATTESTRY_HOOK_TOKEN } }',
    ],
  },
  paste: (receiver) => [
    {
      where: 'In a shell with the Azure CLI, while Attestry runs: the subscription is validated at once',
      language: 'sh',
      text: script(receiver),
    },
  ],
  check: ({ id, settings }) =>
    `az eventgrid event-subscription show --name attestry-${id} --source-resource-id ${settings.topic ?? '<topic>'} --query provisioningState prints "Succeeded".`,
  sample: (facts) => {
    const topic = facts.receiver.settings.topic ?? '';
    const { repository, tag } = facts.image;
    return jsonSample(
      [
        {
          id: facts.id,
          topic,
          subject: `${repository}:${tag}`,
          eventType: 'Microsoft.ContainerRegistry.ImagePushed',
          eventTime: facts.at.toISOString(),
          data: acrSample(facts),
          dataVersion: '1.0',
          metadataVersion: '1',
        },
      ],
      { 'aeg-event-type': 'Notification' },
    );
  },
};

function script({ id, address, header, settings }: Receiver): string {
  return [
    `az eventgrid event-subscription create --name attestry-${id} \\`,
    `  --source-resource-id ${settings.topic ?? '<topic>'} \\`,
    `  --endpoint "${address.shell}" \\`,
    ...(header ? [`  --delivery-attribute-mapping ${header.name} static "${header.value.shell}" true \\`] : []),
    '  --included-event-types Microsoft.ContainerRegistry.ImagePushed Microsoft.ContainerRegistry.ImageDeleted',
    '# For what cannot be delivered: --deadletter-endpoint <storage account>/blobServices/default/containers/<container>',
  ].join('\n');
}
