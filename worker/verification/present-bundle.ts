import { pae, type SignatureHash, verifySignature } from '#crypto/dsse.ts';
import { sshFingerprint } from '#crypto/ssh-fingerprint.ts';
import type { DefectCode, EvidenceDefect } from '#model/evidence.ts';
import { IN_TOTO } from '#model/media-types.ts';
import type { Attestor } from '#verification/attestor.ts';
import { parseBundle, type SigstoreBundle } from '#verification/bundle.ts';
import type { EnvelopeContent, MessageContent } from '#verification/bundle-content.ts';
import type { LoggedContent } from '#verification/bundle-log.ts';
import { readBundleStatement } from '#verification/bundle-statement.ts';
import { checkBundleLog, checkBundleTimestamps } from '#verification/bundle-witness.ts';
import { importCertificate } from '#verification/import-cache.ts';
import type { Presented, PresentedSigner, Presenting } from '#verification/presented.ts';
import { signatureHashes } from '#verification/signature-hashes.ts';
import type { SignedContent } from '#verification/signed-content.ts';

/** Opens a Sigstore bundle (interop specification A.3): form, signer, and what witnessed its signature. */
export function presentBundle(bytes: Uint8Array, presenting: Presenting): Presented {
  const { attestor, artifact } = presenting;
  const parsed = parseBundle(bytes, attestor.profile, takesChain(attestor));
  if (!parsed.ok) return parsed;
  const { bundle } = parsed;
  const found = bundleSigner(bundle, attestor);
  if (!found.ok) return found;
  const { signer } = found;
  const opened =
    bundle.content.kind === 'envelope'
      ? openEnvelope(bundle.content, attestor)
      : openMessage(bundle.content, attestor, artifact);
  if (!opened.ok) return opened;
  const { signature } = opened;
  const logged: LoggedContent = { ...opened.logged, signature, signer };
  const timestamps = checkBundleTimestamps(bundle.timestamps, signature, presenting);
  return {
    ok: true,
    content: opened.content,
    signer,
    witnesses: [...timestamps, ...checkBundleLog(bundle.logEntries, logged, attestor, timestamps)],
  };
}

function takesChain(attestor: Attestor): boolean {
  if (attestor.profile === 'strict') return true;
  return attestor.kind === 'certificate-chain' && attestor.certificateChain === 'allowed';
}

type FoundSigner =
  | { readonly ok: true; readonly signer: PresentedSigner }
  | { readonly ok: false; readonly defect: EvidenceDefect };

function bundleSigner({ signer: given, version }: SigstoreBundle, attestor: Attestor): FoundSigner {
  if (given.kind === 'public-key') {
    if (attestor.kind === 'public-key') return { ok: true, signer: { key: attestor.key, intermediates: [] } };
    return defect('certificate-missing', 'The bundle was signed with a plain key and brings no certificate.');
  }
  if (attestor.kind === 'public-key' && attestor.profile === 'compat') {
    return defect('signer-kind', 'The bundle brings a certificate, and the signer must be a plain key.');
  }
  const ders = given.kind === 'certificate' ? [given.der] : given.ders;
  const certificates = ders.map((der) => importCertificate(der));
  const [leaf, ...others] = certificates.flatMap((each) => (each.ok ? [each.certificate] : []));
  for (const each of certificates) {
    if (!each.ok)
      return defect('certificate-malformed', `A certificate of the bundle cannot be read: ${each.problem}.`);
  }
  if (!leaf) return defect('certificate-missing', 'The bundle brings no certificate.');
  if (given.kind === 'chain' && version === '0.3' && others.some(({ selfIssued }) => selfIssued)) {
    return defect('bundle-malformed', 'The chain of the bundle holds its root, which only a verifier can know.');
  }
  // sigstore-go builds paths from its trusted root alone, unless it is told to take what the signer sent.
  const intermediates = takesChain(attestor) ? others : [];
  const key = attestor.kind === 'public-key' ? attestor.key : leaf.publicKey;
  return { ok: true, signer: { key, leaf, intermediates } };
}

type OpenedBundle =
  | {
      readonly ok: true;
      readonly content: SignedContent;
      readonly signature: Buffer;
      readonly logged: Omit<LoggedContent, 'signature' | 'signer'>;
    }
  | { readonly ok: false; readonly defect: EvidenceDefect };

function openEnvelope(envelope: EnvelopeContent, attestor: Attestor): OpenedBundle {
  const { payload, payloadType, signatures, written } = envelope;
  if (payloadType !== IN_TOTO) {
    return defect('payload-type', `The payload type is ${JSON.stringify(payloadType.slice(0, 120))}, not ${IN_TOTO}.`);
  }
  const [only, ...more] = signatures;
  if (!only) return defect('signature-missing', 'The envelope carries no signature.');
  if (more.length > 0)
    return defect('envelope-malformed', 'The envelope of a bundle must carry exactly one signature.');
  const signed = pae(payloadType, payload);
  const { signature, keyid } = only;
  const [text = ''] = written.signatures;
  return {
    ok: true,
    signature,
    logged: { signed, payload, written: { payloadType, payload: written.payload, signature: text } },
    content: {
      payload,
      logged: { bytes: payload },
      stamped: [signature],
      isSignedBy(key, hash) {
        // sigstore-go's DSSE reader looks for a key of that name; nobody signs it, so the strict reading asks nothing.
        if (attestor.profile === 'compat' && keyid !== '' && keyid !== sshFingerprint(key)) return false;
        return hashesOf(attestor, key, hash).some((each) => verifySignature(key, signed, signature, each));
      },
      read: (digest) => readBundleStatement(payload, digest, attestor.profile),
    },
  };
}

/** A signature over the bytes of the manifest itself: whoever asks must have them. */
function openMessage(message: MessageContent, attestor: Attestor, artifact: Uint8Array | undefined): OpenedBundle {
  if (!artifact) return defect('statement-malformed', 'The bundle signs bytes and states nothing of an image.');
  const { signature } = message;
  return {
    ok: true,
    signature,
    logged: { signed: artifact },
    content: {
      payload: artifact,
      logged: { bytes: artifact },
      stamped: [signature],
      isSignedBy: (key, hash) =>
        hashesOf(attestor, key, hash).some((each) => verifySignature(key, artifact, signature, each)),
      read(digest) {
        const hex = message.digest.toString('hex');
        if (message.algorithm === 'SHA2_256' && digest === `sha256:${hex}`)
          return { signing: { image: digest, annotations: {} } };
        const what = `${message.algorithm.slice(0, 40)} ${hex.slice(0, 128)}`;
        return { defect: { code: 'subject-mismatch', message: `The signature is about ${what}, not ${digest}.` } };
      },
    },
  };
}

function hashesOf(attestor: Attestor, key: PresentedSigner['key'], named?: SignatureHash): readonly SignatureHash[] {
  return named ? [named] : signatureHashes(key, attestor);
}

function defect(code: DefectCode, message: string): { readonly ok: false; readonly defect: EvidenceDefect } {
  return { ok: false, defect: { code, message } };
}
