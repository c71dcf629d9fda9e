/** Jobs of one repository in an hour before further ones are delayed. A busy repository pushes a few tens. */
export const DEFAULT_RATE_PER_HOUR = 600;

/** The longest that the rate guard puts a job off. Later and the evidence would be missed by people first. */
export const MAX_RATE_DELAY_MS = 6 * 60 * 60 * 1000;

/** Redis commands in flight for one delivery: a batch must not fill the connection that others wait for. */
export const IN_FLIGHT = 64;

/** Seconds that a sender is asked to wait while Redis is away. Senders that retry by themselves ignore it. */
export const RETRY_AFTER_SECONDS = 5;

/** Characters of a foreign name that go to a log line or an answer. */
export const MAX_SHOWN = 300;

/** Difference of clocks that is forgiven where a token or message says when it was made. */
export const CLOCK_SKEW_MS = 60 * 1000;

/** Age of an SNS message beyond which it is a replay: SNS itself gives up after an hour. */
export const SNS_MAX_AGE_MS = 60 * 60 * 1000 + CLOCK_SKEW_MS;

/** How long a signing certificate is kept; its address changes with it. */
export const CERTIFICATE_AGE_MS = 24 * 60 * 60 * 1000;

/** How long a token issuer's keys are kept. */
export const KEYS_AGE_MS = 60 * 60 * 1000;

/** The soonest that they are fetched again because a token names a key that is not among them. */
export const KEYS_REFETCH_MS = 60 * 1000;

/** Deliveries of an authenticated sender that are kept in a minute: the first ones tell what is wrong with the rest. */
export const KEPT_PER_MINUTE = 300;

/** The same of whoever could not be authenticated. */
export const KEPT_OF_STRANGERS_PER_MINUTE = 10;

/** Part of a source's room for kept deliveries that strangers may take, beside that of its own. */
export const SHARE_OF_STRANGERS = 0.25;

/** Bytes of a stranger's body that are kept. Most deliveries of one push fit. */
export const KEPT_BODY_OF_STRANGERS = 8 * 1024;

/** Deliveries that wait to be kept; while Redis is slow, further ones are not. */
export const KEPT_WAITING = 32;

/** Headers and parameters of a kept delivery. */
export const KEPT_HEADERS = 64;

/** Bytes behind the kept part of a body that are looked at for secrets: no secret that we take is longer. */
export const LOOKED_AT_BEYOND = 8 * 1024;

/** Share of Redis's memory from which on nothing is kept; jobs are taken for longer. */
export const KEPT_MEMORY_SHARE = 0.6;
