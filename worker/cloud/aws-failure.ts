import * as z from 'zod';
import { failureOfStatus, type ServiceFailure, serviceError } from '#cloud/service-error.ts';
import type { ServiceAnswer } from '#cloud/service-request.ts';
import type { AppError } from '#model/errors.ts';

const FAILURES: Readonly<Record<string, ServiceFailure>> = {
  ThrottlingException: 'throttled',
  LimitExceededException: 'throttled',
  RequestThrottled: 'throttled',
  OverLimit: 'throttled',
  RequestLimitExceeded: 'throttled',
  TooManyRequestsException: 'throttled',
  KMSInternalException: 'unavailable',
  DependencyTimeoutException: 'unavailable',
  KeyUnavailableException: 'unavailable',
  InternalFailure: 'unavailable',
  ServerException: 'unavailable',
  ServiceUnavailable: 'unavailable',
  ServiceUnavailableException: 'unavailable',
  ExpiredTokenException: 'expired',
  RequestExpired: 'clock',
  UnrecognizedClientException: 'unauthorized',
  InvalidClientTokenId: 'unauthorized',
  IncompleteSignature: 'unauthorized',
  MissingAuthenticationTokenException: 'unauthorized',
  AccessDeniedException: 'forbidden',
  NotFoundException: 'missing',
  RepositoryNotFoundException: 'missing',
  QueueDoesNotExist: 'missing',
  'AWS.SimpleQueueService.NonExistentQueue': 'missing',
  InvalidArnException: 'missing',
  DisabledException: 'disabled',
  KMSInvalidStateException: 'disabled',
};

const Failure = z.object({
  __type: z.string().optional(),
  message: z.string().optional(),
  Message: z.string().optional(),
});

/** AWS's name for why it refuses. */
export function awsErrorName({ headers, json }: ServiceAnswer): string | undefined {
  const type = Failure.safeParse(json).data?.__type ?? headers['x-amzn-errortype'];
  return type?.replace(/^.*#/, '').replace(/[:;].*$/, '');
}

/** What an AWS service that speaks JSON refuses with, by its name for it. */
export function awsFailure(what: string, answer: ServiceAnswer): AppError {
  const { status, json, retryAfterMs } = answer;
  const body = Failure.safeParse(json).data ?? {};
  const name = awsErrorName(answer);
  const message = body.message ?? body.Message ?? '';
  const kind =
    name === 'InvalidSignatureException' || name === 'SignatureDoesNotMatch'
      ? signatureFailure(message)
      : FAILURES[name ?? ''];
  // Only these messages are known to quote no part of the request, whose headers hold the session token.
  const told = name === 'AccessDeniedException' || name === 'KMSInvalidStateException' || name === 'DisabledException';
  return serviceError(what, kind ?? failureOfStatus(status), {
    name,
    ...(told && message !== '' ? { words: message } : {}),
    retryAfterMs,
  });
}

function signatureFailure(message: string): ServiceFailure {
  return /expired|not yet current/i.test(message) ? 'clock' : 'unauthorized';
}
