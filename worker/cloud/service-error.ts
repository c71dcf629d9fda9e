import { AppError, type AppErrorOptions, type ErrorCode } from '#model/errors.ts';

/** What went wrong at a key service, whatever its own name for it. */
export type ServiceFailure =
  | 'throttled'
  | 'unavailable'
  | 'unauthorized'
  | 'expired'
  | 'forbidden'
  | 'missing'
  | 'disabled'
  | 'clock'
  | 'refused';

const CODES: Readonly<Record<ServiceFailure, ErrorCode>> = {
  throttled: 'key-throttled',
  unavailable: 'key-unavailable',
  unauthorized: 'key-unauthorized',
  expired: 'key-credentials-expired',
  forbidden: 'key-refused',
  missing: 'key-refused',
  disabled: 'key-refused',
  clock: 'clock-skew',
  refused: 'key-refused',
};

const WORDS: Readonly<Record<ServiceFailure, string>> = {
  throttled: 'asks to slow down',
  unavailable: 'cannot serve now',
  unauthorized: 'does not accept the credentials',
  expired: 'says that the credentials are over',
  forbidden: 'does not allow it',
  missing: 'does not have the key or account that is asked for',
  disabled: 'has the key disabled',
  clock: 'finds the time of the request wrong',
  refused: 'refuses',
};

const MENDS: Readonly<Record<ServiceFailure, string>> = {
  throttled: 'nothing: it is tried again later; raise the quota of the service if it lasts',
  unavailable: 'nothing: it is tried again later',
  unauthorized: 'check the credentials of the service, see the table of keys in the guide',
  expired: 'let whatever issues the credentials renew them; it is tried again later',
  forbidden: 'grant the right to read the public key and to sign with the key',
  missing: 'check the reference: region, project or vault, name and version of the key',
  disabled: 'enable the key (version), or name another',
  clock: 'set the clock of this machine (NTP)',
  refused: 'check that the key is an asymmetric signing key',
};

export interface FailureDetails {
  /** The service's own name for it. */
  readonly name?: string | undefined;
  /** Words of the service, only where they are known to hold no secret. */
  readonly words?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** `service` names the service and the key, e.g. `awskms (alias/release)`. */
export function serviceError(service: string, failure: ServiceFailure, details: FailureDetails = {}): AppError {
  const name = details.name === undefined ? '' : ` (${oneLine(details.name, 80)})`;
  const words = details.words === undefined ? '' : `: ${oneLine(details.words, 300)}`;
  const options: AppErrorOptions = {
    mend: MENDS[failure],
    ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: details.retryAfterMs }),
  };
  return new AppError(CODES[failure], `${service} ${WORDS[failure]}${name}${words}`, options);
}

/** An answer that is not what the service documents. */
export function protocolError(service: string, why: string): AppError {
  return new AppError('key-protocol', `${service}: ${why}`, {
    mend: 'check that the address is that of the service itself, and that nothing between changes its answers',
  });
}

/** Failures by the HTTP status alone. */
export function failureOfStatus(status: number): ServiceFailure {
  if (status === 429) return 'throttled';
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'missing';
  return status >= 500 || (status >= 300 && status < 400) || status === 408 ? 'unavailable' : 'refused';
}

function oneLine(text: string, most: number): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, most);
}
