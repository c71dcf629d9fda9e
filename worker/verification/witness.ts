import type { Certificate } from '#crypto/certificate.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceDefect, RawEvidence } from '#model/evidence.ts';
import { COSIGN_BUNDLE } from '#model/media-types.ts';

/** DER of the object identifier 1.3.6.1.4.1.11129.2.4.2, the extension that holds embedded SCTs (RFC 6962, 3.3). */
const SCT_LIST = Buffer.from('060a2b06010401d679020402', 'hex');

/** What a required witness comes to: it is not there, or it is and nobody here can check it yet. */
export type WitnessCheck =
  | { readonly kind: 'not-required' }
  | { readonly kind: 'defect'; readonly defect: EvidenceDefect }
  | { readonly kind: 'unsupported'; readonly what: string };

/** A transparency log entry, as an annotation of the layer. */
export function checkLogEntry(raw: RawEvidence, wanted: 'required' | 'ignored'): WitnessCheck {
  if (wanted === 'ignored') return { kind: 'not-required' };
  if (raw.descriptor.annotations?.[COSIGN_BUNDLE] !== undefined) {
    return { kind: 'unsupported', what: 'verifying a transparency log entry' };
  }
  return {
    kind: 'defect',
    defect: {
      code: 'log-entry-missing',
      message: 'The layer has no transparency log entry (annotation dev.sigstore.cosign/bundle).',
    },
  };
}

/** A certificate timestamp, embedded in the certificate. */
export function checkCertificateTimestamp(leaf: Certificate, wanted: 'required' | 'ignored'): WitnessCheck {
  if (wanted === 'ignored') return { kind: 'not-required' };
  if (Buffer.from(leaf.raw).includes(SCT_LIST)) {
    return { kind: 'unsupported', what: 'verifying a signed certificate timestamp' };
  }
  return {
    kind: 'defect',
    defect: { code: 'sct-missing', message: 'The certificate has no embedded signed certificate timestamp.' },
  };
}

/** Evidence that is good but for a witness that we cannot check is neither held nor bad. */
export function unsupportedWitness(what: string): AppError {
  return new AppError('policy-unsupported', `${what} is not supported yet`, {
    mend: 'judge this image with the tool that the policy is written for, or do not require the log',
  });
}
