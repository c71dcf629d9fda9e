import { ecrPlace, ecrRule, ecrSample } from '#producer/webhooks/ecr-sample.ts';
import { jsonSample, type Receiver, type SenderGuide } from '#producer/webhooks/guide.ts';

export const ecrSqsGuide: SenderGuide = {
  sender: 'ecr-sqs',
  title: 'Amazon ECR by SQS',
  sends:
    'An SQS queue behind EventBridge, or behind an SNS topic: what `ReceiveMessage` answers. Attestry asks for messages itself: nothing of it need be reachable from outside.',
  proof: 'the queue',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    'No SQS of AWS has been run against it. The tests run a server of the documented JSON protocol that recomputes every signature and keeps visibility timeouts and receipt handles; the recorded deliveries are made from the documented shape, not captured.',
  retries:
    'A message is deleted when it was taken, or can never be; else it comes again after its visibility timeout, until the redrive policy of the queue puts it aside.',
  hazards: [
    'A message is deleted only when its job is in Redis. Give the queue a redrive policy: without one, a message that cannot be read is kept for `attestry hooks deliveries`, and deleted when it came `giveUpAfter` times.',
    'The identity of the workload needs `sqs:ReceiveMessage` and `sqs:DeleteMessage` on the queue. It comes from the environment as in every client of AWS (web identity, container, machine), or from `access`.',
    'In a stored answer `delete-message` says that a message would be deleted, `keep-message` that it would stay.',
  ],
  example: {
    registry: '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    source: ['registries: main', 'queue: https://sqs.eu-west-1.amazonaws.com/123456789012/attestry-ecr'],
  },
  paste: (receiver) => [{ where: 'In a shell with the AWS CLI', language: 'sh', text: script(receiver) }],
  sample: (facts) =>
    jsonSample({
      Messages: [{ MessageId: facts.id, Body: JSON.stringify(ecrSample(facts)), ReceiptHandle: facts.id }],
    }),
};

function script({ registries, pulled }: Receiver): string {
  const { account, region } = ecrPlace(registries[0] ?? '');
  const name = pulled?.from.split('/').at(-1) ?? 'attestry-ecr';
  const queue = `arn:aws:sqs:${region}:${account}:${name}`;
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
    `url=$(aws sqs create-queue --queue-name ${name} --attributes VisibilityTimeout=60 --query QueueUrl --output text)`,
    `aws sqs set-queue-attributes --queue-url "$url" --attributes '${JSON.stringify({ Policy: policy })}'`,
    `aws events put-targets --rule attestry-ecr --targets Id=attestry,Arn=${queue}`,
    '# The identity of Attestry needs sqs:ReceiveMessage and sqs:DeleteMessage on the queue.',
    'echo "$url"   # `queue` of the source',
  ].join('\n');
}
