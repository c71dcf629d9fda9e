import { AppError, type ErrorCode } from '#model/errors.ts';

/** What is wrong at the door of a cloud is, for whoever wants the registry, wrong at the registry. */
const CODES: Partial<Readonly<Record<ErrorCode, { readonly code: ErrorCode; readonly mend: string }>>> = {
  'key-unauthorized': {
    code: 'registry-unauthorized',
    mend: 'check the identity of this workload: see the guide on access to registries',
  },
  'key-credentials-expired': {
    code: 'credentials-unavailable',
    mend: 'let whatever issues the identity of this workload renew it; it is tried again later',
  },
  'key-refused': {
    code: 'registry-unauthorized',
    mend: 'grant this identity the right to it: see the guide on access to registries',
  },
  'key-unavailable': { code: 'registry-unavailable', mend: 'nothing: it is tried again later' },
  'key-throttled': { code: 'registry-throttled', mend: 'nothing: it is tried again later' },
  'key-protocol': {
    code: 'registry-protocol',
    mend: 'check that the address is that of the service itself, and that nothing between changes its answers',
  },
};

/** What a cloud answers, as a failure of the registry; `what` could not be had of it. */
export function asRegistryError(what: string, error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  const { code, message, mend, field, retryAfterMs } = error;
  const known = CODES[code] ?? { code, mend };
  return new AppError(known.code, `${what}: ${message}`, {
    cause: error,
    ...(known.mend === undefined ? {} : { mend: known.mend }),
    ...(field === undefined ? {} : { field }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
