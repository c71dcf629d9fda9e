/** Ceilings on what a connection may cost before anything is read from it. */

/** Bytes of a request line with its headers. Tokens and trace headers fit several times over. */
export const MAX_HEADER_BYTES = 16 * 1024;

/** Milliseconds until the headers are there: a sender that drips them holds a connection for nothing. */
export const HEADERS_TIMEOUT_MS = 5_000;

/** Milliseconds until the whole request is there. A mebibyte at 1 Mbit/s takes eight seconds. */
export const REQUEST_TIMEOUT_MS = 15_000;

/** Milliseconds between looks at those two: the default of half a minute would make them meaningless. */
export const TIMEOUT_CHECK_MS = 1_000;

/** Milliseconds that an idle connection is kept for the next delivery; registries reuse theirs. */
export const KEEP_ALIVE_MS = 60_000;

/** Bytes that are read and thrown away beyond a body's limit, so that the sender sees the answer and not a reset. */
export const DISCARD_BYTES = 8 * 1024 * 1024;

/** Characters of a path parameter. An image reference is at most a registry, a repository of 255 and a digest. */
export const MAX_PARAM_LENGTH = 1024;

/** Milliseconds that readiness waits for its checks; orchestrators give up after one second by default. */
export const READY_TIMEOUT_MS = 900;

/** Bodies beyond a mebibyte at once. The largest that a sender may send has eight. */
export const MAX_LARGE_BODIES = 32;

/** Connections at once. Each may hold a body of a mebibyte, so that this bounds memory as well. */
export const MAX_CONNECTIONS = 512;
