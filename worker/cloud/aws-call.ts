import { awsCredentials } from '#cloud/aws-credentials.ts';
import { awsErrorName, awsFailure } from '#cloud/aws-failure.ts';
import { type AwsCredentials, signAwsRequest } from '#cloud/aws-signature.ts';
import type { CloudContext } from '#cloud/context.ts';
import { type HeldToken, holdToken } from '#cloud/held-token.ts';
import { retrying } from '#cloud/retry.ts';
import { askService } from '#cloud/service-request.ts';
import { withToken } from '#cloud/with-token.ts';
import type { HttpClient } from '#http/client.ts';

export interface AwsServiceOptions {
  /** For messages. */
  readonly what: string;
  /** As the signature names it: `kms`, `ecr`, `sqs`. */
  readonly name: string;
  readonly url: URL;
  readonly region: string;
  /** Version of AWS's JSON protocol that the service speaks. */
  readonly json: '1.0' | '1.1';
  /** Milliseconds that the service may take to begin its answer; absent: the usual. */
  readonly headersTimeoutMs?: number;
  /** Bytes of its largest answer; absent: as of a key. */
  readonly answerBytes?: number;
  /** Errors, by AWS's name, that say that there is nothing: the answer is undefined then. */
  readonly nothing?: readonly string[];
}

/** A service of AWS, with the credentials of this workload. */
export interface AwsService extends AwsServiceOptions {
  readonly context: CloudContext;
  readonly http: HttpClient;
  readonly credentials: HeldToken<AwsCredentials>;
}

/** Nothing is asked yet. */
export async function openAwsService(context: CloudContext, options: AwsServiceOptions): Promise<AwsService> {
  const caFile = context.settings.text('AWS_CA_BUNDLE');
  return {
    ...options,
    context,
    http: await context.http(options.url, caFile),
    credentials: holdToken((signal) => awsCredentials(context, options.region, caFile, signal), context.now),
  };
}

/**
 * One call by AWS's JSON protocol, signed, with renewed credentials when they are refused and again after a stumble.
 * @throws AppError `config-invalid` without credentials; `key-…` by what the service answers; `clock-skew`.
 */
export async function callAws(
  service: AwsService,
  target: string,
  input: object,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const { context, what, name, url, region, json, http, headersTimeoutMs, answerBytes, nothing = [] } = service;
  const body = JSON.stringify(input);
  const headers = { 'content-type': `application/x-amz-json-${json}`, 'x-amz-target': target };
  return await retrying(context, signal, () =>
    withToken(service.credentials, keyText, signal, async (held) => {
      const signed = signAwsRequest({ url, headers, body, region, service: name, now: context.now() }, held);
      const waits = headersTimeoutMs === undefined ? {} : { headersTimeoutMs };
      const request = { method: 'POST', url, headers: signed, body, signal, ...waits } as const;
      const answer = await askService(http, request, context.now(), answerBytes);
      if (answer.status === 200) return answer.json;
      if (nothing.includes(awsErrorName(answer) ?? '')) return undefined;
      throw awsFailure(what, answer);
    }),
  );
}

function keyText({ secretAccessKey }: AwsCredentials): string {
  return secretAccessKey.reveal();
}
