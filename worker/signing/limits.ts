import type { KeyObject } from 'node:crypto';
import { describeKey, keyKind } from '#crypto/key-kind.ts';
import { AppError } from '#model/errors.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';
import type { SigningPlan, Witness } from '#signing/witness.ts';

/** Bytes of a stored piece: cosign's own limit of an attachment, and Kyverno's (interop A.1.1). */
const MAX_STORED_BYTES = 128 * 1024 * 1024;
/** Of a statement in a bundle: sigstore-go refuses more (interop K.2, 25). */
const MAX_SUBJECTS = 1024;
const MAX_DIGESTS = 32;

/**
 * Refuses what a witness or a layout cannot take, before anything is signed.
 * @throws AppError `signing-limit` naming the limit.
 */
export function refuseBeyondLimits(
  configured: ConfiguredSigner,
  plan: Omit<SigningPlan, 'publicKey'> & { readonly payload: Uint8Array },
  witnesses: readonly Witness[],
): void {
  const problem =
    sizeProblem(plan) ??
    (plan.what === 'statement' && plan.layouts.has('bundle') ? subjectsProblem(plan.payload) : undefined) ??
    keyProblem(configured) ??
    witnessProblem(configured, plan, witnesses);
  if (problem === undefined) return;
  throw new AppError('signing-limit', `signer ${configured.id}: ${problem}`, {
    mend: 'make it smaller, or choose a signer, layout or witness that takes it',
  });
}

/** Base64 makes four bytes of three; the rest of an envelope is some hundred bytes. */
function sizeProblem({ what, payloadBytes }: Pick<SigningPlan, 'what' | 'payloadBytes'>): string | undefined {
  const stored = what === 'statement' ? Math.ceil(payloadBytes / 3) * 4 + 4096 : payloadBytes;
  if (stored <= MAX_STORED_BYTES) return undefined;
  return `a payload of ${payloadBytes} bytes is stored in more than the ${MAX_STORED_BYTES} that verifiers read`;
}

function subjectsProblem(payload: Uint8Array): string | undefined {
  const statement: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
  const subjects: unknown = typeof statement === 'object' && statement ? Reflect.get(statement, 'subject') : undefined;
  if (!Array.isArray(subjects)) return 'the statement has no list of subjects';
  if (subjects.length > MAX_SUBJECTS) {
    return `a statement in a bundle has at most ${MAX_SUBJECTS} subjects, and this one has ${subjects.length}`;
  }
  const most = Math.max(0, ...subjects.map(countDigests));
  if (most <= MAX_DIGESTS) return undefined;
  return `a subject in a bundle has at most ${MAX_DIGESTS} digests, and one here has ${most}`;
}

function countDigests(subject: unknown): number {
  const digest: unknown = typeof subject === 'object' && subject ? Reflect.get(subject, 'digest') : undefined;
  return typeof digest === 'object' && digest ? Object.keys(digest).length : 0;
}

function keyProblem(configured: ConfiguredSigner): string | undefined {
  // A keyless signer makes its own key, of the one kind that everybody reads.
  if (configured.kind === 'keyless') return undefined;
  return unreadableKey(configured.publicKey);
}

/** Keys whose signatures no reader takes as we make them, with SHA-256 (interop F.6). */
function unreadableKey(key: KeyObject): string | undefined {
  const kind = keyKind(key);
  switch (kind.type) {
    case 'ecdsa':
      return kind.curve === 'P-224' ? 'verifiers do not take ECDSA P-224' : undefined;
    case 'rsa':
      return kind.bits < 2048 ? `verifiers take RSA from 2048 bits, and this key has ${kind.bits}` : undefined;
    case 'ed25519':
      return undefined;
    case 'other':
      return `verifiers do not take keys of the kind ${describeKey(kind)}`;
  }
}

function witnessProblem(
  configured: ConfiguredSigner,
  plan: Omit<SigningPlan, 'publicKey'>,
  witnesses: readonly Witness[],
): string | undefined {
  const key = configured.kind === 'fixed' ? { publicKey: configured.publicKey } : {};
  for (const witness of witnesses) {
    const refusal = witness.refusal({ ...plan, ...key });
    if (refusal !== undefined) return `witness ${witness.id}: ${refusal}`;
  }
  return undefined;
}
