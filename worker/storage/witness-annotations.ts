import { COSIGN_BUNDLE, COSIGN_CERTIFICATE, COSIGN_CHAIN, COSIGN_RFC3161 } from '#model/media-types.ts';
import type { LogEntryJson } from '#model/witnessed.ts';

/** What stands beside a signature in cosign's older layouts, each absent when there is none. */
export interface WitnessNotes {
  /** PEM of the leaf. */
  readonly certificate: string | undefined;
  /** PEM of intermediates then root: readers drop the last one (interop A.1.6). */
  readonly chain: string | undefined;
  /** Entries of Rekor v1; the layout has room for the first. */
  readonly logEntries: readonly LogEntryJson[];
  /** RFC 3161 responses in DER; the layout has room for the first. */
  readonly timestamps: readonly Uint8Array[];
}

/** The layer annotations of certificate, log entry and timestamp (interop A.1.2). */
export function witnessAnnotations(notes: WitnessNotes): Readonly<Record<string, string>> {
  const annotations: Record<string, string> = {};
  if (notes.certificate !== undefined) {
    annotations[COSIGN_CERTIFICATE] = notes.certificate;
    annotations[COSIGN_CHAIN] = notes.chain ?? '';
  }
  const entry = notes.logEntries.map(logEntryText).find((text) => text !== undefined);
  if (entry !== undefined) annotations[COSIGN_BUNDLE] = entry;
  const [timestamp] = notes.timestamps;
  if (timestamp) {
    const SignedRFC3161Timestamp = Buffer.from(timestamp).toString('base64');
    annotations[COSIGN_RFC3161] = JSON.stringify({ SignedRFC3161Timestamp });
  }
  return annotations;
}

/** Interop A.1.4. Undefined for an entry whose log promised nothing: the form has no place for a proof. */
function logEntryText(entry: LogEntryJson): string | undefined {
  const { inclusionPromise, integratedTime } = entry;
  if (inclusionPromise === undefined || integratedTime === undefined) return undefined;
  return JSON.stringify({
    SignedEntryTimestamp: inclusionPromise.signedEntryTimestamp,
    Payload: {
      body: entry.canonicalizedBody,
      integratedTime: Number(integratedTime),
      logIndex: Number(entry.logIndex),
      logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
    },
  });
}
