import type { KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import type { LogKey } from '#crypto/log-key.ts';
import type { TimestampAuthority } from '#crypto/timestamp-authority.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import type { Witnessed } from '#model/witnessed.ts';

export type WitnessType = 'rekor-v1' | 'rekor-v2' | 'timestamp-authority';

/** What is about to be signed: enough to say beforehand that a witness would not take it. */
export interface SigningPlan {
  readonly what: 'statement' | 'image-signature';
  /** Bytes of the payload. */
  readonly payloadBytes: number;
  /** Absent for a keyless signer, whose keys are ECDSA P-256. */
  readonly publicKey?: KeyObject;
  /** Where it will be stored; a witness makes what these can use, and nothing else. */
  readonly layouts: ReadonlySet<EvidenceLayout>;
}

/** A signature that was made, and checked, and is nowhere published yet. */
export interface MadeSignature {
  readonly what: SigningPlan['what'];
  readonly payload: Uint8Array;
  /** What the key signed: the PAE of a statement, the payload itself of an image signature. */
  readonly signed: Uint8Array;
  /** What is stored: the envelope of a statement, the payload of an image signature. */
  readonly stored: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: KeyObject;
  /** The certificate of the key; absent for a plain one. */
  readonly certificate?: Certificate;
  readonly layouts: ReadonlySet<EvidenceLayout>;
}

/** Somebody who testifies to a signature: a transparency log, or an authority that tells the time. */
export interface Witness {
  readonly id: string;
  readonly type: WitnessType;
  /** By which of them its testimony can be checked; absent: that was not configured. */
  readonly log?: LogKey;
  readonly authority?: TimestampAuthority;
  /** Whether the layouts of the plan can hold what it gives; others do not ask it. */
  serves(plan: Pick<SigningPlan, 'what' | 'layouts'>): boolean;
  /** The limit that the plan breaks, in words; undefined when the witness will take it. */
  refusal(plan: SigningPlan): string | undefined;
  /**
   * Asks for testimony, and checks it before it is believed.
   * @throws AppError `witness-refused`, `witness-unavailable`, `witness-throttled`, `witness-protocol`, `clock-skew`.
   */
  testify(made: MadeSignature, signal?: AbortSignal): Promise<Partial<Witnessed>>;
}
