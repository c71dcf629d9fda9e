import * as z from 'zod/mini';

/** An SNS message as it is posted (SNS developer guide, "message and JSON formats"). */
export const SnsMessage = z.object({
  Type: z.enum(['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation']),
  MessageId: z.string(),
  TopicArn: z.string(),
  Message: z.string(),
  Timestamp: z.string(),
  Subject: z.nullish(z.string()),
  Token: z.nullish(z.string()),
  SubscribeURL: z.nullish(z.string()),
  SignatureVersion: z.string(),
  Signature: z.string(),
  SigningCertURL: z.string(),
});
export type SnsMessage = z.infer<typeof SnsMessage>;

/** SNS's own host in the region of a topic; undefined when that is no ARN of a topic. */
export function snsHost(topicArn: string): string | undefined {
  const [, partition, region] =
    /^arn:(aws|aws-cn):sns:([a-z0-9-]{3,32}):[0-9]{12}:[A-Za-z0-9_.-]+$/.exec(topicArn) ?? [];
  if (region === undefined) return undefined;
  return `sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
}

/**
 * A URL of a message, when it leads to SNS itself: https, the topic's own region, the default port, nothing before the
 * host. Whoever can send us a message could name any other.
 */
export function snsUrl(text: string | null | undefined, topicArn: string): URL | undefined {
  if (!text || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain = url.protocol === 'https:' && url.port === '' && url.username === '' && url.password === '';
  return isPlain && url.hostname === snsHost(topicArn) ? url : undefined;
}
