import type { EvidenceLayout } from '#model/evidence.ts';
import type { SignerKind } from '#model/layout-choice.ts';
import type { Asked, Testimony } from '#model/reading-table.ts';
import type { SigstoreStack } from '../stack/sigstore-stack.ts';
import type { SignerFiles } from './signers.ts';

/** One image with evidence, and all that a verifier may be told about it. */
export interface Cell {
  /** `host/repository:tag`. */
  readonly reference: string;
  readonly asked: Asked;
  readonly layouts: readonly EvidenceLayout[];
  readonly kind: SignerKind;
  readonly testimonies: readonly Testimony[];
}

/** Where verifiers find keys, certificates and trusted roots. */
export interface Trust {
  readonly stack: SigstoreStack;
  readonly files: SignerFiles;
}

/** What a verifier said. */
export interface Judgement {
  readonly accepted: boolean;
  /** Its own words, for the message of a failing test. */
  readonly said: string;
}

/** The identity that a certificate names, by kind of signer. */
export function identityOf(kind: SignerKind, { stack }: Trust): { subject: string; issuer?: string } {
  if (kind === 'keyless') return { subject: 'worker@attestry.test', issuer: stack.issuer.url('email') };
  return { subject: 'https://attestry.test/builder' };
}

/** A bundle, where there is one, is what these verifiers read. */
export function readsBundle({ layouts }: Pick<Cell, 'layouts'>): boolean {
  return layouts.includes('bundle');
}
