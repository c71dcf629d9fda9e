/** How a failure is treated: whether and when trying again can help. */
export type ErrorClass =
  /** The world may recover by itself: retry with growing delays. */
  | 'transient'
  /** We were told to wait: honour `retryAfterMs`. */
  | 'throttled'
  /** The content was announced and is not visible yet: retry for a bounded time, then give up. */
  | 'not-yet'
  /** Trying again cannot help: dead letter with its reason. */
  | 'permanent';

/**
 * The closed catalogue of failures. A failure means that something could not be done or checked; evidence that was
 * checked and found bad is never an error but a `Verdict`.
 */
export const ERRORS = {
  usage: { class: 'permanent', meaning: 'A command or request was called wrongly.' },
  'config-invalid': { class: 'permanent', meaning: 'The configuration breaks its schema or contradicts itself.' },
  'reference-invalid': { class: 'permanent', meaning: 'An image reference breaks the OCI grammar.' },
  'unknown-registry': { class: 'permanent', meaning: 'The registry is not configured under `registries`.' },
  'host-not-allowed': { class: 'permanent', meaning: 'A request would leave the hosts that this client may reach.' },
  'registry-unauthorized': { class: 'permanent', meaning: 'The registry answered 401: credentials missing or wrong.' },
  'registry-forbidden': { class: 'permanent', meaning: 'The registry answered 403: the credentials lack the right.' },
  'registry-throttled': { class: 'throttled', meaning: 'The registry answered 429.' },
  'registry-unavailable': { class: 'transient', meaning: 'The registry answered 5xx.' },
  'registry-resting': {
    class: 'throttled',
    meaning: 'The registry failed again and again, or asked for it, and is left alone for a while.',
  },
  'over-budget': {
    class: 'throttled',
    meaning: 'A registry, a source or a backfill has all the jobs at a time that it may have.',
  },
  'registry-refused': {
    class: 'permanent',
    meaning: 'The registry does not accept the content, the name or the operation.',
  },
  'tag-immutable': { class: 'permanent', meaning: 'The registry does not let this tag be written again.' },
  'registry-quota': { class: 'permanent', meaning: 'The registry has no room left for this repository.' },
  'path-too-deep': { class: 'permanent', meaning: 'The repository path has more levels than the registry takes.' },
  'credentials-unavailable': { class: 'transient', meaning: 'A credential helper did not answer as it should.' },
  'registry-protocol': {
    class: 'permanent',
    meaning: 'The registry answered in a way that the specification forbids.',
  },
  'source-unavailable': {
    class: 'transient',
    meaning: 'A queue that pushes are fetched from cannot be read; what waits in it is not lost.',
  },
  'not-found': { class: 'not-yet', meaning: 'The manifest or blob is not in the registry.' },
  'child-missing': {
    class: 'not-yet',
    meaning: 'An index lists an image that is not in the registry, or not all of it.',
  },
  'change-awaited': {
    class: 'throttled',
    meaning: 'The registry does not show yet what a sender tells: that something was removed, or a tag moved.',
  },
  network: { class: 'transient', meaning: 'The connection failed or broke.' },
  timeout: { class: 'transient', meaning: 'No answer within the time limit.' },
  'digest-mismatch': { class: 'permanent', meaning: 'Bytes do not hash to the digest that names them.' },
  'too-large': { class: 'permanent', meaning: 'A size limit was exceeded.' },
  'manifest-malformed': { class: 'permanent', meaning: 'A manifest, index or config is not what its media type says.' },
  'media-type-unsupported': { class: 'permanent', meaning: 'The manifest is of a kind that is not an image.' },
  'index-nested': { class: 'permanent', meaning: 'An index lists another index.' },
  'not-an-image': { class: 'permanent', meaning: 'The manifest is an artifact, a referrer or evidence, not an image.' },
  'layer-corrupt': { class: 'permanent', meaning: 'A layer is truncated or is not the archive that it claims to be.' },
  'layer-bomb': { class: 'permanent', meaning: 'A layer expands beyond the limits of the walk.' },
  'sbom-empty': { class: 'permanent', meaning: 'An operating system was found but none of its packages.' },
  'key-unreadable': { class: 'permanent', meaning: 'A private key is missing or cannot be read.' },
  'key-mismatch': { class: 'permanent', meaning: 'The private key does not belong to the certificate.' },
  'key-refused': {
    class: 'permanent',
    meaning:
      'A key service or token does not sign with the key: it is not there, disabled, forbidden or of another kind.',
  },
  'key-unauthorized': {
    class: 'permanent',
    meaning: 'A key service or token does not accept the credentials or the PIN.',
  },
  'key-credentials-expired': { class: 'transient', meaning: 'The credentials for a key service are over.' },
  'key-unavailable': { class: 'transient', meaning: 'A key service or token did not answer as it should.' },
  'key-throttled': { class: 'throttled', meaning: 'A key service asked to slow down.' },
  'key-protocol': { class: 'permanent', meaning: 'A key service or token answered with what cannot be believed.' },
  'certificate-unreadable': { class: 'permanent', meaning: 'A certificate or chain cannot be read.' },
  'certificate-refused': { class: 'permanent', meaning: 'The certificate breaks a rule of the linter.' },
  'identity-token-unavailable': { class: 'transient', meaning: 'No identity token could be had for a keyless signer.' },
  'identity-token-refused': { class: 'permanent', meaning: 'The server of identity tokens refuses to give one.' },
  'identity-token-throttled': { class: 'throttled', meaning: 'The server of identity tokens answered 429.' },
  'identity-token-expired': {
    class: 'transient',
    meaning: 'The identity token of a keyless signer is over.',
  },
  'identity-token-malformed': { class: 'permanent', meaning: 'The identity token is none, or not for the signer.' },
  'identity-mismatch': {
    class: 'permanent',
    meaning: 'A keyless signer would sign, or was certified, as somebody else than it is configured for.',
  },
  'clock-skew': {
    class: 'transient',
    meaning: 'The clock of this machine and that of a server that signing depends on differ.',
  },
  'ca-refused': { class: 'permanent', meaning: 'The CA of a keyless signer refused to certify the key.' },
  'ca-unavailable': { class: 'transient', meaning: 'The CA of a keyless signer did not answer as it should.' },
  'ca-throttled': { class: 'throttled', meaning: 'The CA of a keyless signer answered 429.' },
  'ca-protocol': { class: 'permanent', meaning: 'The CA of a keyless signer answered with what cannot be believed.' },
  'witness-refused': { class: 'permanent', meaning: 'A log or timestamp authority does not take the signature.' },
  'witness-unavailable': { class: 'transient', meaning: 'A log or timestamp authority did not answer as it should.' },
  'witness-throttled': { class: 'throttled', meaning: 'A log or timestamp authority answered 429.' },
  'witness-protocol': {
    class: 'permanent',
    meaning: 'A log or timestamp authority answered with what cannot be believed.',
  },
  'signing-limit': {
    class: 'permanent',
    meaning: 'What is to be signed breaks a limit of a log, a timestamp authority or a layout.',
  },
  'statement-refused': {
    class: 'permanent',
    meaning: 'What was handed in to be signed is malformed, too large, or about another image.',
  },
  'handed-in-full': {
    class: 'throttled',
    meaning: 'Too much was handed in: it waits to be signed for one image, or came from one caller within an hour.',
  },
  'builder-evidence-awaited': {
    class: 'throttled',
    meaning: 'The provenance that `when.builder` asks for is not there yet.',
  },
  'crl-unreadable': { class: 'permanent', meaning: 'A list of revoked certificates (CRL) cannot be read.' },
  'ocsp-unreadable': { class: 'permanent', meaning: 'The answer of an OCSP responder cannot be read.' },
  'revocation-unknown': {
    class: 'transient',
    meaning: 'Whether a certificate was revoked could not be found out.',
  },
  'trust-unreadable': { class: 'permanent', meaning: 'A trusted root is not what its format says.' },
  'trust-unavailable': {
    class: 'transient',
    meaning: 'Trust material could not be fetched, or has expired and could not be fetched again.',
  },
  'policy-malformed': { class: 'permanent', meaning: 'A policy is not YAML or breaks its schema.' },
  'policy-unsupported': {
    class: 'permanent',
    meaning: 'A policy uses a form that is not supported; it is never guessed.',
  },
  'lock-lost': { class: 'transient', meaning: 'Another writer holds the evidence location.' },
  'write-conflict': {
    class: 'transient',
    meaning: 'What was written was overwritten by a foreign writer before it was read back.',
  },
  'redis-unavailable': { class: 'transient', meaning: 'Redis did not answer in time.' },
  'redis-unsuitable': { class: 'permanent', meaning: 'Redis is too old or configured so that jobs can be lost.' },
  'job-malformed': { class: 'permanent', meaning: 'The payload of a job breaks its schema.' },
  'job-poisoned': { class: 'permanent', meaning: 'Workers died again and again while they ran this job.' },
  'sink-rejected': { class: 'permanent', meaning: 'A sink refused an event for good.' },
  'sink-unavailable': { class: 'transient', meaning: 'A sink did not take an event now.' },
  canceled: { class: 'transient', meaning: 'The work was stopped before its end.' },
  'server-missing': { class: 'permanent', meaning: 'A server that is to run on this machine is not installed.' },
  'server-failed': { class: 'permanent', meaning: 'A server on this machine did not start, or ended by itself.' },
  internal: { class: 'transient', meaning: 'A defect: an invariant of the program did not hold.' },
} as const satisfies Record<string, { class: ErrorClass; meaning: string }>;

export type ErrorCode = keyof typeof ERRORS;

export interface AppErrorOptions {
  cause?: unknown;
  /** What the reader can do about it, one sentence. */
  mend?: string;
  /** The configuration key, flag or field at fault. */
  field?: string;
  /** Milliseconds to wait before another try, from `Retry-After`. */
  retryAfterMs?: number;
}

/** The one error type of the product. Messages never hold secrets, tokens or URL credentials. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly mend: string | undefined;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.mend = options.mend;
    this.field = options.field;
    this.retryAfterMs = options.retryAfterMs;
  }

  get class(): ErrorClass {
    return ERRORS[this.code].class;
  }
}

/** Any thrown value as an `AppError`; a foreign one becomes `internal` with its cause kept. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError('internal', message, { cause: error });
}
