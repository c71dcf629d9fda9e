import { OCI_CONFIG, OCI_MANIFEST } from '#model/media-types.ts';
import type { SampleFacts } from '#producer/webhooks/guide.ts';

/** EventBridge's event of one push. Account and region are those of the registry's name. */
export function ecrSample({ image, id, at }: SampleFacts): object {
  const { account, region } = ecrPlace(image.registry);
  return {
    version: '0',
    id,
    'detail-type': 'ECR Image Action',
    source: 'aws.ecr',
    account,
    time: `${at.toISOString().slice(0, 19)}Z`,
    region,
    resources: [],
    detail: {
      result: 'SUCCESS',
      'repository-name': image.repository,
      'image-digest': image.digest,
      'action-type': 'PUSH',
      'manifest-media-type': OCI_MANIFEST,
      'artifact-media-type': OCI_CONFIG,
      'image-tag': image.tag,
    },
  };
}

/** Account and region of `<account>.dkr.ecr.<region>.amazonaws.com`; AWS's example account for any other name. */
export function ecrPlace(registry: string): { readonly account: string; readonly region: string } {
  const [, account = '123456789012', region = 'us-east-1'] =
    /^([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(registry) ?? [];
  return { account, region };
}

/** The rule that all ways out of EventBridge begin with, once in each region. */
export function ecrRule(registries: readonly string[]): readonly string[] {
  const regions = [...new Set(registries.map((registry) => ecrPlace(registry).region))];
  const again = regions.slice(1);
  return [
    `export AWS_REGION=${regions[0] ?? 'us-east-1'}${again.length === 0 ? '' : `   # and all of this once more with ${again.join(', ')}`}`,
    'rule=$(aws events put-rule --name attestry-ecr --query RuleArn --output text \\',
    `  --event-pattern '{"source":["aws.ecr"],"detail-type":["ECR Image Action"]}')`,
  ];
}
