/** The parts of a `traceparent` header (W3C Trace Context 3.2). */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero: the caller's span. */
  readonly parentId: string;
  readonly sampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const VERSION = '00';
const MAX_LENGTH = 256;

/** Undefined for a header that must be ignored: then the receiver starts a trace of its own. */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const match = header !== undefined && header.length <= MAX_LENGTH ? TRACEPARENT.exec(header) : null;
  if (!match) return undefined;
  const [, version = '', traceId = '', parentId = '', flags = '', rest] = match;
  // 3.2.2.1: ff is forbidden; a later version may carry more members, this one may not.
  if (version === 'ff' || (version === VERSION && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, parentId, sampled }: TraceContext): string {
  return `${VERSION}-${traceId}-${parentId}-${sampled ? '01' : '00'}`;
}

/** Fresh bytes for ids; the caller brings the chance. */
export type RandomBytes = (count: number) => Uint8Array;

/** The header for what we start: the sender's trace when there is one, under a span of our own. */
export function continueTrace(header: string | undefined, randomBytes: RandomBytes): string {
  const parent = parseTraceparent(header);
  return formatTraceparent({
    traceId: parent?.traceId ?? nonZeroHex(randomBytes(16)),
    parentId: nonZeroHex(randomBytes(8)),
    sampled: parent?.sampled ?? true,
  });
}

function nonZeroHex(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return /^0+$/.test(hex) ? `${hex.slice(0, -1)}1` : hex;
}
