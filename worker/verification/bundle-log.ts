import { decodeBase64 } from '#crypto/base64.ts';
import { type Checkpoint, parseCheckpoint } from '#crypto/checkpoint.ts';
import { checkpointProblem, namesTree } from '#crypto/checkpoint-signature.ts';
import { verifySignature } from '#crypto/dsse.ts';
import type { LogKey } from '#crypto/log-key.ts';
import { rootOf } from '#crypto/merkle.ts';
import { isWithin } from '#crypto/time-window.ts';
import { sha256Hex } from '#model/digest.ts';
import type { BundleLogEntry, LogProof } from '#verification/bundle-log-entry.ts';
import { isHashOfEnvelope, type WrittenEnvelope } from '#verification/envelope-writings.ts';
import { loggedVerifier } from '#verification/present-layer.ts';
import { readRekorEntry } from '#verification/rekor-entry.ts';
import { isRekorV2, rebuiltHashedRekord, rekorV2Problem, type SignedBytes } from '#verification/rekor-v2-entry.ts';
import type { Profile } from '#verification/statement.ts';
import { parseStrictJson } from '#verification/strict-json.ts';

/** What the entries of a bundle must be about. */
export interface LoggedContent extends SignedBytes {
  /** Of an envelope with one signature. */
  readonly written?: WrittenEnvelope;
}

export type BundleLogCheck =
  /** Nobody here can say whether it holds: it counts for nothing, and spoils nothing. */
  | { readonly kind: 'passed-over'; readonly problem: string }
  /** It is there and wrong: no other entry makes up for it. */
  | { readonly kind: 'invalid'; readonly problem: string }
  | {
      readonly kind: 'verified';
      readonly logId: string;
      /** Of a promise that holds: a proof alone vouches for no time. */
      readonly time?: Date;
      /** What the entry says of the time, whoever vouches for it. */
      readonly claimed?: Date;
    };

/**
 * Verifies one entry, offline (interop specification A.3.2, I.4): it must be about this signature, a known log must
 * have signed what is there of promise and proof. An entry of an unknown log, or with a promise that does not hold,
 * counts for nothing, as in sigstore-go; a proof that does not hold is wrong whatever else is there.
 * @param times that others vouch for: a proof alone tells none, and by the strict reading its log must be trusted then
 */
export function verifyBundleLogEntry(
  entry: BundleLogEntry,
  content: LoggedContent,
  logs: readonly LogKey[],
  profile: Profile,
  times: readonly Date[] = [],
): BundleLogCheck {
  const isV2 = isRekorV2(entry.version) && entry.kind !== 'intoto';
  const log = logs.find(({ id }) => id === entry.logId);
  // sigstore-go reads no bundle with an entry that is not what it says.
  if (!isOfItsKind(entry)) return invalid('it is of another kind or version than its body');
  const unlike = isV2 ? contentOfV2(entry, content, profile) : contentOfV1(entry, content);
  // sigstore-go asks no more of an entry whose log it does not know than that its kind is one that it reads.
  if (unlike !== undefined && (log || profile === 'strict')) return invalid(unlike);
  if (!log) return passedOver(`its log ${entry.logId.slice(0, 64)} is not known`);
  const { promise, proof, integratedTime } = entry;
  if (!promise && !proof) return invalid('it has neither inclusion promise nor inclusion proof');
  if (isV2 && !proof) return invalid('an entry of Rekor v2 must have an inclusion proof');
  const claimed = integratedTime === undefined ? undefined : new Date(Number(integratedTime) * 1000);
  if (claimed && Number.isNaN(claimed.getTime())) return invalid('its time is none');
  if (promise) {
    const broken = isV2 ? 'Rekor v2 gives no promises' : promiseProblem(entry, promise, log, claimed);
    if (broken !== undefined) return passedOver(broken);
  }
  const untimely =
    promise || profile === 'compat' ? undefined : windowProblem(log, claimed ? [claimed, ...times] : times);
  if (untimely !== undefined) return passedOver(untimely);
  const unproved = proof && proofProblem(entry, proof, log, content, profile);
  if (unproved !== undefined) return invalid(unproved);
  const rewritten = isV2 ? undefined : writingProblem(entry, content, profile);
  if (rewritten !== undefined) return invalid(rewritten);
  return {
    kind: 'verified',
    logId: entry.logId,
    ...(promise && claimed ? { time: claimed } : {}),
    ...(claimed ? { claimed } : {}),
  };
}

function isOfItsKind({ body, kind, version }: BundleLogEntry): boolean {
  const json = parseStrictJson(body);
  if (!json.ok || typeof json.value !== 'object' || json.value === null) return false;
  return Reflect.get(json.value, 'kind') === kind && Reflect.get(json.value, 'apiVersion') === version;
}

/** What an entry of Rekor v1 keeps of an envelope, compared with it. */
function contentOfV1(entry: BundleLogEntry, content: LoggedContent): string | undefined {
  const reading = readRekorEntry(entry.body.toString('base64'));
  if (!reading.ok) return reading.problem;
  const { kind, digest, payloadDigest, signature, verifierDer } = reading.entry;
  const { verifierDer: wanted } = loggedVerifier(content.signer);
  if (!decodeBase64(signature ?? '')?.bytes.equals(content.signature)) return 'it is about another signature';
  if (Buffer.compare(verifierDer, wanted) !== 0) return 'it is about another signer';
  if (kind === 'hashedrekord') {
    if (content.payload) return 'an entry of kind hashedrekord does not vouch for an envelope';
    return digest === sha256Hex(content.signed) ? undefined : 'it is about other bytes';
  }
  if (!content.payload) return `an entry of kind ${kind} vouches for envelopes alone`;
  if (payloadDigest !== sha256Hex(content.payload)) return 'it is about another payload';
  return undefined;
}

/** Writing an envelope in all the usual ways takes long: only for an entry that the log is known to have signed. */
function writingProblem(entry: BundleLogEntry, { written }: LoggedContent, profile: Profile): string | undefined {
  if (profile === 'compat' || !written || entry.kind !== 'dsse') return undefined;
  const reading = readRekorEntry(entry.body.toString('base64'));
  if (reading.ok && isHashOfEnvelope(written, reading.entry.digest)) return undefined;
  return 'the envelope that was logged was written otherwise than this one, in a way that no tool writes it';
}

function contentOfV2({ kind, body }: BundleLogEntry, content: LoggedContent, profile: Profile): string | undefined {
  if (profile === 'strict') return rekorV2Problem(body, content);
  return kind === 'hashedrekord' ? undefined : `entries of Rekor v2 of kind ${kind} are not read`;
}

/**
 * sigstore-go holds promises alone against the time for which a log is trusted; whoever has the key of a log that was
 * given up can make proofs as well. Where nobody tells a time, the entries of such a log go on counting.
 */
function windowProblem({ validFor }: LogKey, times: readonly Date[]): string | undefined {
  const outside = times.find((time) => !isWithin(validFor, time));
  return outside && `its log is not trusted at ${outside.toISOString()}`;
}

/** The promise covers body, time, index and log, as canonical JSON (RFC 8785). */
function promiseProblem(
  { body, logId, logIndex, integratedTime = 0n }: BundleLogEntry,
  promise: Buffer,
  log: LogKey,
  claimed: Date | undefined,
): string | undefined {
  if (!isWithin(log.validFor, claimed ?? new Date(0))) return 'its log is not trusted at the time that it names';
  if (log.key.asymmetricKeyType !== 'ec') return 'the key of its log is none of ECDSA';
  const members = `{"body":"${body.toString('base64')}","integratedTime":${integratedTime},"logID":"${logId}","logIndex":${logIndex}}`;
  return verifySignature(log.key, Buffer.from(members), promise)
    ? undefined
    : 'the log did not sign it (signed entry timestamp)';
}

function proofProblem(
  entry: BundleLogEntry,
  proof: LogProof,
  log: LogKey,
  content: LoggedContent,
  profile: Profile,
): string | undefined {
  const checkpoint = parseCheckpoint(proof.checkpoint);
  if (!checkpoint) return 'its checkpoint cannot be read';
  if (profile === 'strict' && !isWrittenSo(checkpoint, proof.checkpoint)) return 'its checkpoint is written oddly';
  const isTree = namesTree(checkpoint);
  // For a log of the second version sigstore-go goes by what the log signed, and by the entry as it must have been.
  const rebuilt = profile === 'compat' && !isTree;
  const leaf = rebuilt ? rebuiltHashedRekord(content) : entry.body;
  if (!leaf) return 'a log of this version does not take signatures of such a key';
  const { index, treeSize, rootHash, hashes } = proof;
  const place = rebuilt
    ? { index: entry.logIndex, treeSize: checkpoint.treeSize, hashes }
    : { index, treeSize, hashes };
  const root = rootOf(leaf, place);
  if (!root) return 'its inclusion proof does not fit the size of the tree';
  if (!root.equals(checkpoint.rootHash)) return 'its inclusion proof does not lead to the root of its checkpoint';
  if (profile === 'strict') {
    if (!root.equals(rootHash)) return 'its inclusion proof does not lead to its root';
    if (checkpoint.treeSize !== treeSize) return 'its checkpoint is of a tree of another size';
    if (!isTree && index !== entry.logIndex) return 'it names two places in the log';
  } else if (isTree && !root.equals(rootHash)) {
    return 'its inclusion proof does not lead to its root';
  }
  return checkpointProblem(checkpoint, log);
}

/** Bits behind the last byte of a signature's base64 belong to nothing. */
function isWrittenSo({ body, signatures }: Checkpoint, text: string): boolean {
  const lines = signatures.map(({ name, keyHint, signature }) => {
    return `\u2014 ${name} ${Buffer.concat([keyHint, signature]).toString('base64')}\n`;
  });
  return `${body.toString('utf8')}\n${lines.join('')}` === text;
}

function invalid(problem: string): BundleLogCheck {
  return { kind: 'invalid', problem };
}

function passedOver(problem: string): BundleLogCheck {
  return { kind: 'passed-over', problem };
}
