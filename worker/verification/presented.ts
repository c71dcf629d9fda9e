import type { KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import type { EvidenceDefect } from '#model/evidence.ts';
import type { Attestor } from '#verification/attestor.ts';
import type { SignedContent } from '#verification/signed-content.ts';
import type { WitnessCheck } from '#verification/witness.ts';

/** Who would have to be the signer for the attestor to hold. Nothing of it is trusted yet. */
export interface PresentedSigner {
  readonly key: KeyObject;
  /** The certificate that came with the evidence, also beside a plain key. */
  readonly leaf?: Certificate;
  /** Further certificates that came with it. */
  readonly intermediates: readonly Certificate[];
}

/** A piece of evidence in the one form that is judged, whichever layout it was stored in. */
export interface PresentedEvidence {
  readonly content: SignedContent;
  readonly signer: PresentedSigner;
  /** Log entries and timestamps, judged for this signer. */
  readonly witnesses: readonly WitnessCheck[];
}

export type Presented =
  | ({ readonly ok: true } & PresentedEvidence)
  | { readonly ok: false; readonly defect: EvidenceDefect };

/** What the attestor is asked about, beside the evidence itself. */
export interface Presenting {
  readonly attestor: Attestor;
  readonly now: Date;
  /** Bytes of the image's manifest: what a signature of a bundle without a statement is over. */
  readonly artifact?: Uint8Array;
}
