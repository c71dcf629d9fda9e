import { ecrRule, ecrSample } from '#producer/webhooks/ecr-sample.ts';
import { jsonSample, type Receiver, type SenderGuide } from '#producer/webhooks/guide.ts';

export const ecrGuide: SenderGuide = {
  sender: 'ecr',
  title: 'Amazon ECR by EventBridge',
  sends:
    'An EventBridge rule with an API destination. A registry is `<account>.dkr.ecr.<region>.amazonaws.com`; one source may speak for several. The event as it is, and the CloudEvent that a known input transformer makes of it (`com.amazon.ecr.image.push`), are both read.',
  proof: 'header, basic',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No EventBridge has been run against this adapter. It follows AWS's documentation and one published event; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries:
    'EventBridge waits five seconds, repeats 429 and 5xx for a day and takes any other 4xx as final: give the target a dead-letter queue.',
  hazards: [
    'ECR calls its events best effort: some are never sent.',
    'Replication and pull-through events are skipped as `not-a-push`. Whether replication also raises a push at its destination is not documented.',
    'Names of other partitions and dual-stack names are aliases of the registry.',
    'An API destination must be reachable from the internet over HTTPS; into a private network lead [SQS](ecr-sqs.md) and nothing else.',
  ],
  example: {
    registry: '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    source: ['registries: main', 'auth: { header: X-Api-Key, value: env:ATTESTRY_HOOK_TOKEN }'],
  },
  paste: (receiver) => [
    { where: 'In a shell with the AWS CLI and the right to administer events', language: 'sh', text: script(receiver) },
  ],
  check: () =>
    'aws events list-targets-by-rule --rule attestry-ecr; CloudWatch counts InvocationsFailedToBeSentToDLQ and FailedInvocations of the rule.',
  sample: (facts) => jsonSample(ecrSample(facts)),
};

function script({ url, header, basic, registries }: Receiver): string {
  const connection = basic
    ? `--authorization-type BASIC \\\n  --auth-parameters "BasicAuthParameters={Username=${basic.username},Password='${basic.password.shell}'}" \\`
    : `--authorization-type API_KEY \\\n  --auth-parameters "ApiKeyAuthParameters={ApiKeyName=${header?.name ?? 'X-Api-Key'},ApiKeyValue='${header?.value.shell ?? ''}'}" \\`;
  return [
    ...ecrRule(registries),
    `connection=$(aws events create-connection --name attestry-ecr ${connection}`,
    '  --query ConnectionArn --output text)',
    'destination=$(aws events create-api-destination --name attestry-ecr --http-method POST \\',
    `  --invocation-endpoint ${url} --connection-arn "$connection" \\`,
    '  --query ApiDestinationArn --output text)',
    'role=$(aws iam create-role --role-name attestry-ecr --query Role.Arn --output text --assume-role-policy-document \\',
    `  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sts:AssumeRole"}]}')`,
    'aws iam put-role-policy --role-name attestry-ecr --policy-name invoke --policy-document \\',
    '  "{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[{\\"Effect\\":\\"Allow\\",\\"Action\\":\\"events:InvokeApiDestination\\",\\"Resource\\":\\"$destination\\"}]}"',
    'aws events put-targets --rule attestry-ecr --targets "Id=attestry,Arn=$destination,RoleArn=$role"',
    '# With a dead-letter queue to which events.amazonaws.com may send: behind $role add ,DeadLetterConfig={Arn=<queue>}',
  ].join('\n');
}
