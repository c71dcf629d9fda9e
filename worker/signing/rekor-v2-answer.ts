import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { LogKey } from '#crypto/log-key.ts';
import type { LogEntryJson } from '#model/witnessed.ts';
import { inclusionProblem } from '#signing/logged-entry.ts';
import { parseJson } from '#signing/peer.ts';
import { keyDetails } from '#signing/rekor-key.ts';
import type { MadeSignature } from '#signing/witness.ts';

const Base64 = z.string().check(z.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/));
/** 64-bit integers are text in the JSON mapping of protobuf. */
const Whole = z.string().check(z.regex(/^(?:0|[1-9][0-9]{0,18})$/));

/** TransparencyLogEntry of protobuf-specs, as far as it is used: what a bundle takes over, and nothing else. */
const AnsweredEntry = z.object({
  // The JSON mapping leaves out what has its default value: the first entry of a log has no index.
  logIndex: z._default(Whole, '0'),
  logId: z.object({ keyId: Base64 }),
  kindVersion: z.object({ kind: z.literal('hashedrekord'), version: z.literal('0.0.2') }),
  inclusionProof: z.object({
    logIndex: z._default(Whole, '0'),
    rootHash: Base64,
    treeSize: Whole,
    hashes: z._default(z.array(Base64).check(z.maxLength(64)), []),
    checkpoint: z.object({ envelope: z.string() }),
  }),
  canonicalizedBody: Base64,
});

const Body = z.object({
  kind: z.literal('hashedrekord'),
  apiVersion: z.literal('0.0.2'),
  spec: z.object({
    hashedRekordV002: z.object({
      data: z.object({ algorithm: z.literal('SHA2_256'), digest: Base64 }),
      signature: z.object({
        content: Base64,
        verifier: z.object({
          keyDetails: z.string(),
          x509Certificate: z.optional(z.object({ rawBytes: Base64 })),
          publicKey: z.optional(z.object({ rawBytes: Base64 })),
        }),
      }),
    }),
  }),
});

export type RekorV2Reading =
  | { readonly ok: true; readonly entry: LogEntryJson }
  | { readonly ok: false; readonly problem: string };

/** Reads the answer of Rekor v2 and judges it: about this very signature, and included by the log. */
export function readRekorV2Answer(bytes: Buffer, made: MadeSignature, log: LogKey | undefined): RekorV2Reading {
  const parsed = AnsweredEntry.safeParse(parseJson(bytes.toString('utf8')));
  if (!parsed.success) return { ok: false, problem: 'the answer is not an entry of kind hashedrekord 0.0.2' };
  const entry = parsed.data;
  const problem = bodyProblem(entry.canonicalizedBody, made) ?? inclusionProblem(entry, log);
  return problem === undefined ? { ok: true, entry } : { ok: false, problem };
}

function bodyProblem(canonicalizedBody: string, made: MadeSignature): string | undefined {
  const parsed = Body.safeParse(parseJson(Buffer.from(canonicalizedBody, 'base64').toString('utf8')));
  if (!parsed.success) return 'the body of its entry cannot be read';
  const { data, signature } = parsed.data.spec.hashedRekordV002;
  if (data.digest !== createHash('sha256').update(made.signed).digest('base64'))
    return 'its entry is about other bytes';
  if (!Buffer.from(signature.content, 'base64').equals(made.signature)) return 'its entry is about another signature';
  const { verifier } = signature;
  const wanted = made.certificate?.raw ?? made.publicKey.export({ type: 'spki', format: 'der' });
  const found = (made.certificate ? verifier.x509Certificate : verifier.publicKey)?.rawBytes ?? '';
  const isOurs = Buffer.from(found, 'base64').equals(wanted) && verifier.keyDetails === keyDetails(made.publicKey);
  return isOurs ? undefined : 'its entry is about another signer';
}
