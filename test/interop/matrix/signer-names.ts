import type { SignerKind } from '#model/layout-choice.ts';
import type { Testimony } from '#model/reading-table.ts';

/** The ways of signing, by the names that the matrix gives them. */
export const SIGNERS = {
  x509: { kind: 'x509', testimonies: [] },
  'x509 + timestamp': { kind: 'x509', testimonies: ['timestamp'] },
  key: { kind: 'key', testimonies: [] },
  'key + Rekor v1': { kind: 'key', testimonies: ['rekor-v1'] },
  'keyless + Rekor v1': { kind: 'keyless', testimonies: ['rekor-v1'] },
  'keyless + Rekor v1 + timestamp': { kind: 'keyless', testimonies: ['rekor-v1', 'timestamp'] },
  'keyless + Rekor v2 + timestamp': { kind: 'keyless', testimonies: ['rekor-v2', 'timestamp'] },
} as const satisfies Readonly<Record<string, { kind: SignerKind; testimonies: readonly Testimony[] }>>;
export type SignerName = keyof typeof SIGNERS;
export const SIGNER_NAMES: readonly SignerName[] = Object.keys(SIGNERS) as SignerName[];
