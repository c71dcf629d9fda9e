import type { EvidenceLayout } from '#model/evidence.ts';
import type { Verifier } from '#model/verifier.ts';
import type { SignerName } from '../matrix/signer-names.ts';
import type { BundlePart, LayerPart } from './parts.ts';

/** One kind of evidence, and who still accepts it with one part changed. Whoever is not named refuses. */
export interface TamperCase {
  readonly signer: SignerName;
  readonly layout: EvidenceLayout;
  /** All who accept it unchanged: they are asked of every change. */
  readonly readers: readonly Verifier[];
  /**
   * Readers that accept it with this part changed. Each is a member that they do not need, because what they check
   * instead says the same; none lets another statement pass. We refuse them all.
   */
  readonly parts: Readonly<Partial<Record<BundlePart | LayerPart, readonly Verifier[]>>>;
}

const TAG_READERS = ['attestry', 'cosign-3', 'cosign-2', 'kyverno-cosign', 'policy-controller'] as const;
const BUNDLE_READERS = ['attestry', 'cosign-3', 'cosign-2', 'kyverno-bundle', 'kyverno-ivp'] as const;

export const TAMPER_CASES: readonly TamperCase[] = [
  {
    signer: 'x509 + timestamp',
    layout: 'cosign-tag',
    readers: TAG_READERS,
    parts: { payload: [], signature: [], certificate: [], timestamp: [] },
  },
  { signer: 'key', layout: 'cosign-tag', readers: TAG_READERS, parts: { payload: [], signature: [] } },
  {
    signer: 'keyless + Rekor v1',
    layout: 'cosign-tag',
    readers: [...TAG_READERS, 'kyverno-ivp'],
    parts: {
      ...{ payload: [], signature: [], certificate: [] },
      ...{ 'body of the log entry': [], 'promise of the log': [], 'time of the log entry': [] },
    },
  },
  {
    signer: 'key',
    layout: 'bundle',
    readers: BUNDLE_READERS,
    parts: { payload: [], signature: [] },
  },
  {
    signer: 'keyless + Rekor v1 + timestamp',
    layout: 'bundle',
    readers: BUNDLE_READERS,
    parts: {
      ...{ payload: [], signature: [], certificate: [] },
      // The log tells the time as well; cosign was told to go by timestamps.
      timestamp: ['kyverno-bundle', 'kyverno-ivp'],
      ...{ 'body of the log entry': [], 'promise of the log': [], 'time of the log entry': [] },
      ...{ 'root of the inclusion proof': [], checkpoint: [] },
    },
  },
  {
    signer: 'keyless + Rekor v2 + timestamp',
    layout: 'bundle',
    readers: BUNDLE_READERS,
    parts: {
      ...{ payload: [], signature: [], certificate: [], timestamp: [] },
      // They build the entry of the log anew from the bundle, and go by the root that the log signed.
      'body of the log entry': ['cosign-3', 'kyverno-bundle', 'kyverno-ivp'],
      'root of the inclusion proof': ['cosign-3', 'cosign-2', 'kyverno-bundle', 'kyverno-ivp'],
      checkpoint: [],
    },
  },
];
