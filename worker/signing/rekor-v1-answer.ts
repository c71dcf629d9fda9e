import { verify } from 'node:crypto';
import * as z from 'zod/mini';
import type { LogKey } from '#crypto/log-key.ts';
import { readPem } from '#crypto/pem.ts';
import { sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { LogEntryJson } from '#model/witnessed.ts';
import { inclusionProblem } from '#signing/logged-entry.ts';
import { parseJson } from '#signing/peer.ts';
import type { MadeSignature } from '#signing/witness.ts';

const Base64 = z.string().check(z.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/));
const Hex = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const Whole = z.int().check(z.nonnegative());

/** One entry as Rekor v1 answers it, as far as it is used. */
const AnsweredEntry = z.object({
  body: Base64,
  integratedTime: Whole,
  logID: Hex,
  logIndex: Whole,
  verification: z.object({
    signedEntryTimestamp: Base64,
    inclusionProof: z.object({
      checkpoint: z.string(),
      hashes: z.array(Hex).check(z.maxLength(64)),
      logIndex: Whole,
      rootHash: Hex,
      treeSize: Whole,
    }),
  }),
});
type AnsweredEntry = z.infer<typeof AnsweredEntry>;

export type RekorV1Reading =
  | { readonly ok: true; readonly entry: LogEntryJson; readonly time: Date }
  | { readonly ok: false; readonly problem: string };

/** Reads the answer of Rekor v1 and judges it: about this very signature, promised and included by the log. */
export function readRekorV1Answer(bytes: Buffer, made: MadeSignature, log: LogKey | undefined): RekorV1Reading {
  const json = parseJson(bytes.toString('utf8'));
  const entries = typeof json === 'object' && json !== null ? Object.values(json) : [];
  const [only, ...more] = entries;
  const parsed = AnsweredEntry.safeParse(only);
  if (!parsed.success || more.length > 0) return bad('the answer is not one log entry');
  const answered = parsed.data;
  const kind = made.what === 'statement' ? DSSE : REKORD;
  const problem =
    kind.problem(parseJson(Buffer.from(answered.body, 'base64').toString('utf8')), made) ??
    promiseProblem(answered, log);
  if (problem !== undefined) return bad(problem);
  const entry = bundleEntry(answered, kind.kindVersion);
  const excluded = inclusionProblem(entry, log);
  if (excluded !== undefined) return bad(excluded);
  return { ok: true, entry, time: new Date(answered.integratedTime * 1000) };
}

const Hash = z.object({ algorithm: z.literal('sha256'), value: z.string() });

const DsseBody = z.object({
  kind: z.literal('dsse'),
  apiVersion: z.literal('0.0.1'),
  spec: z.object({
    envelopeHash: Hash,
    payloadHash: Hash,
    signatures: z.tuple([z.object({ signature: z.string(), verifier: z.string() })]),
  }),
});

const DSSE = {
  kindVersion: { kind: 'dsse', version: '0.0.1' },
  problem(body: unknown, made: MadeSignature): string | undefined {
    const parsed = DsseBody.safeParse(body);
    if (!parsed.success) return 'its entry is not of kind dsse 0.0.1';
    const { envelopeHash, payloadHash, signatures } = parsed.data.spec;
    if (envelopeHash.value !== sha256Hex(made.stored) || payloadHash.value !== sha256Hex(made.payload)) {
      return 'its entry is about other bytes';
    }
    return signatureProblem(signatures[0].signature, signatures[0].verifier, made);
  },
};

const RekordBody = z.object({
  kind: z.literal('hashedrekord'),
  apiVersion: z.literal('0.0.1'),
  spec: z.object({
    data: z.object({ hash: Hash }),
    signature: z.object({ content: z.string(), publicKey: z.object({ content: z.string() }) }),
  }),
});

const REKORD = {
  kindVersion: { kind: 'hashedrekord', version: '0.0.1' },
  problem(body: unknown, made: MadeSignature): string | undefined {
    const parsed = RekordBody.safeParse(body);
    if (!parsed.success) return 'its entry is not of kind hashedrekord 0.0.1';
    const { data, signature } = parsed.data.spec;
    if (data.hash.value !== sha256Hex(made.payload)) return 'its entry is about other bytes';
    return signatureProblem(signature.content, signature.publicKey.content, made);
  },
};

function signatureProblem(signature: string, verifier: string, made: MadeSignature): string | undefined {
  if (!Buffer.from(signature, 'base64').equals(made.signature)) return 'its entry is about another signature';
  const wanted = made.certificate?.raw ?? made.publicKey.export({ type: 'spki', format: 'der' });
  const found = pemContent(Buffer.from(verifier, 'base64').toString('latin1'));
  return found?.equals(wanted) ? undefined : 'its entry is about another signer';
}

function pemContent(pem: string): Buffer | undefined {
  try {
    const [block, ...more] = readPem(pem, 'certificate-unreadable', 'log entry');
    return block && more.length === 0 ? Buffer.from(block.der) : undefined;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** The promise to include it (SET): over the canonical JSON of four members. */
function promiseProblem(
  { body, integratedTime, logID, logIndex, verification }: AnsweredEntry,
  log: LogKey | undefined,
) {
  if (!log) return undefined;
  if (logID !== log.id) return `it is of the log ${logID}, not of the configured key`;
  const promised = Buffer.from(JSON.stringify({ body, integratedTime, logID, logIndex }));
  const signature = Buffer.from(verification.signedEntryTimestamp, 'base64');
  const key = { key: log.key, dsaEncoding: 'der' } as const;
  const hash = log.key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return verify(hash, promised, key, signature) ? undefined : 'its promise (SET) is not signed by the configured key';
}

function bundleEntry(answered: AnsweredEntry, kindVersion: LogEntryJson['kindVersion']): LogEntryJson {
  const { signedEntryTimestamp, inclusionProof: proof } = answered.verification;
  return {
    logIndex: String(answered.logIndex),
    logId: { keyId: base64OfHex(answered.logID) },
    kindVersion,
    integratedTime: String(answered.integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: String(proof.logIndex),
      rootHash: base64OfHex(proof.rootHash),
      treeSize: String(proof.treeSize),
      hashes: proof.hashes.map(base64OfHex),
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: answered.body,
  };
}

function base64OfHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

function bad(problem: string): RekorV1Reading {
  return { ok: false, problem };
}
