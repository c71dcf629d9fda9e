import { sha256Hex } from '#model/digest.ts';

/** What an envelope's JSON is made of: texts as they stand in it. */
export interface WrittenEnvelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signature: string;
}

type Separators = readonly [comma: string, colon: string];
/** Compact as Go and JavaScript write JSON, and with the spaces of Python. */
const SEPARATORS: readonly Separators[] = [
  [',', ':'],
  [', ', ': '],
];
/** The first is cosign's. */
const ORDERS: readonly (readonly (keyof WrittenEnvelope)[])[] = [
  ['payloadType', 'payload', 'signature'],
  ['payload', 'payloadType', 'signature'],
  ['signature', 'payload', 'payloadType'],
  ['payload', 'signature', 'payloadType'],
  ['payloadType', 'signature', 'payload'],
  ['signature', 'payloadType', 'payload'],
];

/**
 * Whether a hash that a log keeps is that of an envelope, written in any of the usual ways. A bundle holds the parts of
 * an envelope and not its bytes, so what its maker gave to the log can only be written again.
 */
export function isHashOfEnvelope(envelope: WrittenEnvelope, hash: string): boolean {
  if (found.get(envelope) === hash) return true;
  const isOneOfThem = isAnyWriting(envelope, hash);
  if (isOneOfThem) found.set(envelope, hash);
  return isOneOfThem;
}

/** The hash that an envelope is known to have: a bundle may bring many entries about it. */
const found = new WeakMap<WrittenEnvelope, string>();

function isAnyWriting(envelope: WrittenEnvelope, hash: string): boolean {
  return SEPARATORS.some((separators) =>
    ORDERS.some((order) =>
      signatureWritings(envelope.signature, separators).some(
        (signatures) => sha256Hex(write(envelope, order, signatures, separators)) === hash,
      ),
    ),
  );
}

function write(
  { payloadType, payload }: WrittenEnvelope,
  order: readonly (keyof WrittenEnvelope)[],
  signatures: string,
  [comma, colon]: Separators,
): string {
  const members = {
    payloadType: `"payloadType"${colon}${JSON.stringify(payloadType)}`,
    payload: `"payload"${colon}${JSON.stringify(payload)}`,
    signature: `"signatures"${colon}[${signatures}]`,
  };
  return `{${order.map((name) => members[name]).join(comma)}}`;
}

/** The key id is empty or absent: nothing else is read in a bundle. */
function signatureWritings(signature: string, [comma, colon]: Separators): readonly string[] {
  const sig = `"sig"${colon}${JSON.stringify(signature)}`;
  const keyid = `"keyid"${colon}""`;
  return [`{${keyid}${comma}${sig}}`, `{${sig}}`, `{${sig}${comma}${keyid}}`];
}
