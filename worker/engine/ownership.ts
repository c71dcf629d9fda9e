import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Envelope, pae, parseEnvelope, verifySignature } from '#crypto/dsse.ts';
import type { EvidenceWish, SigningIdentity } from '#engine/engine-ports.ts';
import type { ReadyStatement } from '#engine/ready-statement.ts';
import { sha256 } from '#model/digest.ts';
import type { RawEvidence, WrittenEvidence } from '#model/evidence.ts';
import { isOurs } from '#predicates/own-statement.ts';
import { readStatement } from '#verification/statement.ts';
import { subjectDefect } from '#verification/statement-subject.ts';
import { jsonBoundsProblem } from '#verification/strict-json.ts';

/** Fingerprints of the signers that the wishes of one location have now. */
export type PresentSigners = ReadonlySet<string>;

/**
 * True for evidence of this type that is our own: in the record of what we wrote, or about this very digest, signed by
 * present or former signers of this installation alone, and naming our builder or tool. Only such evidence is ever
 * replaced, and only it is a reason to sign again. A certificate that has lapsed does not make it somebody else's, so
 * validity is not asked here.
 */
export function isOwn(
  raw: RawEvidence,
  wish: EvidenceWish,
  written: readonly WrittenEvidence[],
  present: PresentSigners,
): boolean {
  const recorded = written.find(({ descriptor }) => descriptor.digest === raw.descriptor.digest);
  if (recorded && isRecordOf(recorded, wish, present) && (!wish.ready || isCovered(raw, wish.ready))) return true;
  // Anybody may have put these bytes there: they are bounded before they are parsed.
  if (!raw.bytes || jsonBoundsProblem(raw.bytes) !== undefined) return false;
  const parsed = parseEnvelope(raw.bytes);
  if (!parsed.ok) return false;
  // Nothing of a payload is built before it is known to be signed by us, and by nobody beside us.
  if (!isSignedByUs(parsed.envelope, wish.identity)) return false;
  const statement = readStatement(parsed.envelope.payload);
  if (!statement || statement.predicateType !== wish.predicateType) return false;
  if (wish.ready ? !isCovered(raw, wish.ready) : !isOurs(statement)) return false;
  // Whoever may push may copy what we signed for one image beside another: there it tells of nothing that we did.
  return subjectDefect(statement, raw.location.digest) === undefined;
}

/** Whether a piece is the ready statement itself, or one that it takes the place of. */
function isCovered({ bytes }: RawEvidence, ready: ReadyStatement): boolean {
  if (!bytes || jsonBoundsProblem(bytes) !== undefined) return false;
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) return false;
  const { payload } = parsed.envelope;
  if (sha256(payload) === ready.digest) return true;
  const statement = readStatement(payload);
  return statement !== undefined && ready.supersedes(statement);
}

function isSignedByUs({ payloadType, payload, signatures }: Envelope, identity: SigningIdentity): boolean {
  const signed = pae(payloadType, payload);
  const keys = lineageKeys(identity);
  return (
    signatures.length > 0 &&
    signatures.every(({ signature }) => keys.some((key) => verifySignature(key, signed, signature)))
  );
}

/**
 * Whether a record is of what this wish once got: by its signer or a former one, or for its rule by a signer that no
 * wish has any more. Where two wishes of one type have a signer each, neither replaces the other's.
 */
export function isRecordOf(entry: WrittenEvidence, wish: EvidenceWish, present: PresentSigners): boolean {
  if (entry.predicateType !== wish.predicateType) return false;
  return isLineage(entry.signer, wish.identity) || (entry.rule === wish.rule && !present.has(entry.signer));
}

function isLineage(fingerprint: string, { signer, former }: SigningIdentity): boolean {
  return signer.fingerprint === fingerprint || former.some((each) => each.fingerprint === fingerprint);
}

function lineageKeys({ signer, former }: SigningIdentity): readonly KeyObject[] {
  const pems = former.flatMap(({ pem }) => (pem === undefined ? [] : [pem]));
  const own = signer.kind === 'fixed' ? [signer.publicKey] : [];
  return [...own, ...pems.map((pem) => createPublicKey(pem))];
}
