import { ecrRule, ecrSample } from '#producer/webhooks/ecr-sample.ts';
import {
  jsonSample,
  type Receiver,
  type Sample,
  type SampleFacts,
  type SenderGuide,
} from '#producer/webhooks/guide.ts';

export const ecrSnsGuide: SenderGuide = {
  sender: 'ecr-sns',
  title: 'Amazon ECR by SNS',
  sends:
    'EventBridge, then an SNS topic with an HTTPS subscription. There is no shared secret: the message is signed by SNS, and only messages of your topics count. The subscription confirms itself: Attestry checks signature and topic, and then asks SNS, and nobody else, for the confirmation. Outgoing HTTPS to `sns.<region>.amazonaws.com` must be open.',
  proof: 'SNS signature and topic',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No SNS has been run against this adapter. Signatures of both versions are checked with true keys and a certificate made for the tests, which stands in for the one that SNS serves; the rest follows AWS's documentation.",
  retries:
    'SNS waits fifteen seconds, and by default tries three times, twenty seconds apart; 4xx counts as delivered. A message is refused when it is older than an hour, which is as long as SNS tries.',
  hazards: [
    'Any AWS customer can send you a genuine message of his own topic: such a message is refused with 403 and makes Attestry fetch nothing.',
    'Raw message delivery has no signature, and is refused.',
    "The certificate is believed because SNS's own host serves it over TLS; its chain is not checked again.",
    'An UnsubscribeConfirmation is skipped: its address would subscribe again.',
  ],
  example: {
    registry: '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    source: ['registries: main', 'auth: { topicArn: arn:aws:sns:eu-west-1:123456789012:ecr-push }'],
  },
  paste: (receiver) => [
    {
      where: 'In a shell with the AWS CLI, while Attestry runs: the subscription asks for its confirmation at once',
      language: 'sh',
      text: script(receiver),
    },
  ],
  check: ({ topicArns }) =>
    `aws sns list-subscriptions-by-topic --topic-arn ${topicArns?.[0] ?? '<topic>'} shows an ARN in place of "PendingConfirmation".`,
  sample,
};

function script({ url, topicArns = [], registries }: Receiver): string {
  const topics = topicArns.flatMap((arn) => [
    `aws sns create-topic --name ${arn.split(':').at(-1)} --attributes SignatureVersion=2`,
    `aws sns set-topic-attributes --topic-arn ${arn} --attribute-name Policy --attribute-value \\`,
    `  "{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[{\\"Effect\\":\\"Allow\\",\\"Principal\\":{\\"Service\\":\\"events.amazonaws.com\\"},\\"Action\\":\\"sns:Publish\\",\\"Resource\\":\\"${arn}\\",\\"Condition\\":{\\"ArnEquals\\":{\\"aws:SourceArn\\":\\"$rule\\"}}}]}"`,
    `aws events put-targets --rule attestry-ecr --targets Id=attestry,Arn=${arn}`,
    `aws sns subscribe --topic-arn ${arn} --protocol https \\`,
    `  --notification-endpoint ${url} --attributes RawMessageDelivery=false`,
  ]);
  return [...ecrRule(registries), ...topics].join('\n');
}

/** A notification that SNS alone could sign. */
function sample(facts: SampleFacts): Sample {
  const topic = facts.receiver.topicArns?.[0] ?? '';
  return jsonSample(
    {
      Type: 'Notification',
      MessageId: facts.id,
      TopicArn: topic,
      Message: JSON.stringify(ecrSample(facts)),
      Timestamp: facts.at.toISOString(),
      SignatureVersion: '2',
      Signature: '',
      SigningCertURL: `https://sns.${topic.split(':')[3] ?? 'us-east-1'}.amazonaws.com/SimpleNotificationService.pem`,
    },
    { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': 'Notification' },
  );
}
