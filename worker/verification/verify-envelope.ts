import type { KeyObject } from 'node:crypto';
import { type Envelope, pae, parseEnvelope, type SignatureHash, verifySignature } from '#crypto/dsse.ts';
import type { DefectCode, EvidenceDefect } from '#model/evidence.ts';
import { IN_TOTO } from '#model/media-types.ts';
import type { Profile } from '#verification/statement.ts';
import { jsonBoundsProblem, parseStrictJson } from '#verification/strict-json.ts';

const SIGNED_MEMBERS = ['payload', 'payloadtype', 'signatures'];

export type OpenedEnvelope =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly defect: EvidenceDefect };

/**
 * Reads a DSSE envelope and judges its form (interop specification A.1.3, K.2). Both readings want in-toto's payload
 * type and a payload in standard, padded base64; `strict` also JSON that all parsers agree on and no member that nothing
 * signs.
 */
export function openEnvelope(bytes: Uint8Array, profile: Profile): OpenedEnvelope {
  const bounds = jsonBoundsProblem(bytes);
  if (bounds !== undefined) return defect('envelope-malformed', `The bytes are no DSSE envelope: ${bounds}.`);
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) return parsed;
  const { envelope } = parsed;
  if (envelope.payloadType !== IN_TOTO) {
    const shown = JSON.stringify(envelope.payloadType.slice(0, 120));
    return defect('payload-type', `The payload type is ${shown}, not ${IN_TOTO}.`);
  }
  if (envelope.signatures.length === 0) return defect('signature-missing', 'The envelope carries no signature.');
  const problem = formProblem(envelope) ?? (profile === 'strict' ? strictProblem(envelope, bytes) : undefined);
  return problem === undefined ? parsed : defect('envelope-malformed', problem);
}

function formProblem({ payloadForm, signatures, extraMembers }: Envelope): string | undefined {
  if (payloadForm.alphabet !== 'standard') return 'The payload is in URL-safe base64.';
  if (!payloadForm.padded) return 'The payload is in base64 without padding.';
  if (signatures.some(({ form }) => !form.padded)) return 'A signature is in base64 without padding.';
  // Go matches member names without regard to case, so that two of its readers could see two payloads.
  const variant = extraMembers.find((name) => SIGNED_MEMBERS.includes(name.toLowerCase()));
  return variant === undefined ? undefined : `The envelope has a member ${JSON.stringify(variant)}, a case variant.`;
}

function strictProblem({ payloadForm, signatures, extraMembers }: Envelope, bytes: Uint8Array): string | undefined {
  if (payloadForm.lineEnds) return 'The payload has line ends inside its base64.';
  const json = parseStrictJson(bytes);
  if (!json.ok) return `The envelope cannot be read in one way only: ${json.problem}.`;
  if (signatures.some(({ form }) => form.alphabet !== 'standard' || form.lineEnds)) {
    return 'The signature is not in standard base64.';
  }
  const [extra] = extraMembers;
  return extra === undefined
    ? undefined
    : `The envelope has a member ${JSON.stringify(extra.slice(0, 80))} that no signature covers.`;
}

/** One signature that verifies is enough; in `strict` it must be the first (interop specification I.1, 20 and 21). */
export function isSignedBy(envelope: Envelope, key: KeyObject, profile: Profile, hash?: SignatureHash): boolean {
  const signed = pae(envelope.payloadType, envelope.payload);
  const counting = profile === 'strict' ? envelope.signatures.slice(0, 1) : envelope.signatures;
  return counting.some(({ signature }) => verifySignature(key, signed, signature, hash));
}

function defect(code: DefectCode, message: string): OpenedEnvelope {
  return { ok: false, defect: { code, message } };
}
