import { ecrPlace, ecrRule, ecrSample } from '#producer/webhooks/ecr-sample.ts';
import { jsonSample, type Receiver, type SenderGuide } from '#producer/webhooks/guide.ts';

export const ecrSqsGuide: SenderGuide = {
  sender: 'ecr-sqs',
  title: 'Amazon ECR by SQS',
  sends:
    'An SQS queue behind EventBridge, or behind an SNS topic: what `ReceiveMessage` answers. Nothing is sent to Attestry.',
  proof: 'the queue',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No SQS has been run against this adapter. It follows AWS's documentation; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries:
    'A message is deleted when it was taken, or can never be; else it comes again after its visibility timeout, until the redrive policy of the queue puts it aside.',
  hazards: [
    'In a stored answer `delete-message` says that a message would be deleted, `keep-message` that it would stay.',
  ],
  example: { registry: '123456789012.dkr.ecr.eu-west-1.amazonaws.com', source: [] },
  paste: (receiver) => [{ where: 'In a shell with the AWS CLI', language: 'sh', text: script(receiver) }],
  sample: (facts) =>
    jsonSample({
      Messages: [{ MessageId: facts.id, Body: JSON.stringify(ecrSample(facts)), ReceiptHandle: facts.id }],
    }),
};

function script({ registries }: Receiver): string {
  const { account, region } = ecrPlace(registries[0] ?? '');
  const queue = `arn:aws:sqs:${region}:${account}:attestry-ecr`;
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queue,
      },
    ],
  });
  return [
    ...ecrRule(registries),
    'url=$(aws sqs create-queue --queue-name attestry-ecr --attributes VisibilityTimeout=60 --query QueueUrl --output text)',
    `aws sqs set-queue-attributes --queue-url "$url" --attributes '${JSON.stringify({ Policy: policy })}'`,
    `aws events put-targets --rule attestry-ecr --targets Id=attestry,Arn=${queue}`,
    'echo "$url"',
  ].join('\n');
}
