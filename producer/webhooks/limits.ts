/** Ceilings on what a payload may be. Each delivery comes from a machine that may be broken or hostile. */

/** Bytes of a body. A Distribution envelope is about 1 KiB for each event; other receivers use 1 to 3 MiB. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** Nesting of JSON. The deepest documented payload has six levels; readers downstream may recurse. */
export const MAX_JSON_DEPTH = 64;

/** Members of one batch: the most that any known sender packs into one request (Event Grid). */
export const MAX_MEMBERS = 5000;
