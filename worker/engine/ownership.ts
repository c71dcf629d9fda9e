import { createPublicKey, type KeyObject } from 'node:crypto';
import { verifySignature } from '#crypto/dsse.ts';
import type { EvidenceWish, SigningIdentity } from '#engine/engine-ports.ts';
import { type Place, pieceId, recordedId, recordedPlace } from '#engine/places.ts';
import type { ReadyStatement } from '#engine/ready-statement.ts';
import { readSignedPiece, type SignedPiece } from '#engine/signed-piece.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import { sha256 } from '#model/digest.ts';
import type { RawEvidence, Statement, WrittenEvidence } from '#model/evidence.ts';
import { isMadeType } from '#model/evidence-type.ts';
import { isOurImageSignature } from '#predicates/image-signature.ts';
import { isOurs } from '#predicates/own-statement.ts';
import type { KeylessSigner } from '#signing/signer.ts';
import { imageDefect, readSimpleSigning } from '#verification/simple-signing.ts';
import { readStatement } from '#verification/statement.ts';
import { subjectDefect } from '#verification/statement-subject.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';

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
  const id = pieceId(raw);
  const recorded = written.find((entry) => recordedId(entry) === id);
  const piece = readSignedPiece(raw);
  if (recorded && isRecordOf(recorded, wish, present) && (!wish.ready || isCovered(piece, wish.ready))) return true;
  // Nothing of a payload is built before it is known to be signed by us, and by nobody beside us.
  if (!piece || !isSignedByUs(raw, piece, wish.identity)) return false;
  return raw.kind === 'image-signature' ? saysImage(raw, piece, wish) : saysStatement(raw, piece, wish);
}

function saysImage(raw: RawEvidence, { payload }: SignedPiece, wish: EvidenceWish): boolean {
  const read = readSimpleSigning(payload);
  if (!read.ok || wish.type !== 'signature' || !isOurImageSignature(read.signing)) return false;
  return imageDefect(read.signing, raw.location.digest) === undefined;
}

function saysStatement(raw: RawEvidence, piece: SignedPiece, wish: EvidenceWish): boolean {
  const statement = statementOf(piece);
  if (!statement || statement.predicateType !== wish.predicateType) return false;
  if (wish.ready && !isCovered(piece, wish.ready)) return false;
  if (!wish.ready && !(wish.type === 'signature' ? isOurImageSignature(statement) : isOurs(statement))) return false;
  // Whoever may push may copy what we signed for one image beside another: there it tells of nothing that we did.
  return subjectDefect(statement, raw.location.digest) === undefined;
}

const statements = new WeakMap<SignedPiece, { readonly statement: Statement | undefined }>();

function statementOf(piece: SignedPiece): Statement | undefined {
  const known = statements.get(piece) ?? { statement: readStatement(piece.payload) };
  statements.set(piece, known);
  return known.statement;
}

/** Whether a piece is the ready statement itself, or one that it takes the place of. */
function isCovered(piece: SignedPiece | undefined, ready: ReadyStatement): boolean {
  if (!piece) return false;
  if (sha256(piece.payload) === ready.digest) return true;
  const statement = statementOf(piece);
  return statement !== undefined && ready.supersedes(statement);
}

const signedByUs = new WeakMap<SignedPiece, WeakMap<SigningIdentity, boolean>>();

/** Asked once for a piece and signer, since every wish of a location asks it of every piece. */
function isSignedByUs(raw: RawEvidence, piece: SignedPiece, identity: SigningIdentity): boolean {
  const known = signedByUs.get(piece) ?? new WeakMap<SigningIdentity, boolean>();
  const found = known.get(identity) ?? bearsOurSignature(raw, piece, identity);
  signedByUs.set(piece, known.set(identity, found));
  return found;
}

function bearsOurSignature(raw: RawEvidence, piece: SignedPiece, identity: SigningIdentity): boolean {
  const { signed, signatures } = piece;
  if (signatures.length === 0) return false;
  const keys = lineageKeys(identity);
  if (signatures.every((signature) => keys.some((key) => verifySignature(key, signed, signature)))) return true;
  return identity.signer.kind === 'keyless' && isCertifiedForUs(raw, piece, identity.signer);
}

/** Whether a keyless piece carries a certificate of the signer's CA for its identity, good when it was given. */
function isCertifiedForUs(raw: RawEvidence, { certificate }: SignedPiece, signer: KeylessSigner): boolean {
  if (!certificate) return false;
  const attestor = signerAttestor(signer);
  return verifyEvidence(raw, { digest: raw.location.digest, attestor, now: certificate.validFromDate }).held === true;
}

/**
 * Whether a record is of what this wish once got: by its signer or a former one, or for its rule by a signer that no
 * wish has any more. Where two wishes of one type have a signer each, neither replaces the other's.
 */
export function isRecordOf(entry: WrittenEvidence, wish: EvidenceWish, present: PresentSigners): boolean {
  if (entry.predicateType !== wish.predicateType) return false;
  if (isLineage(entry.signer, wish.identity)) return true;
  // What is handed in comes by itself: that no other wish is there does not say that a signer is gone.
  return isMadeType(wish.type) && entry.rule === wish.rule && !present.has(entry.signer);
}

/** As `isRecordOf`, of what stands in one place and was not superseded. */
export function isRecordAt(entry: WrittenEvidence, place: Place, wish: EvidenceWish, present: PresentSigners): boolean {
  return recordedPlace(entry) === place && !entry.superseded && isRecordOf(entry, wish, present);
}

function isLineage(fingerprint: string, { signer, former }: SigningIdentity): boolean {
  return signer.fingerprint === fingerprint || former.some((each) => each.fingerprint === fingerprint);
}

function lineageKeys({ signer, former }: SigningIdentity): readonly KeyObject[] {
  const pems = former.flatMap(({ pem }) => (pem === undefined ? [] : [pem]));
  const own = signer.kind === 'fixed' ? [signer.publicKey] : [];
  return [...own, ...pems.map((pem) => createPublicKey(pem))];
}
