/**
 * The verifiers whose reading is known, by the names that rules give them. Versions are those that were run: see
 * docs/guide/evidence.md and docs/reference/interop-matrix.md.
 */
export const VERIFIERS = [
  'attestry',
  'cosign-3',
  'cosign-2',
  'kyverno-cosign',
  'kyverno-bundle',
  'kyverno-ivp',
  'policy-controller',
] as const;
export type Verifier = (typeof VERIFIERS)[number];

export const VERIFIER_TITLES: Readonly<Record<Verifier, string>> = {
  attestry: 'Attestry',
  'cosign-3': 'cosign 3',
  'cosign-2': 'cosign 2.6',
  'kyverno-cosign': 'Kyverno ClusterPolicy, type Cosign',
  'kyverno-bundle': 'Kyverno ClusterPolicy, type SigstoreBundle',
  'kyverno-ivp': 'Kyverno ImageValidatingPolicy',
  'policy-controller': 'policy-controller ClusterImagePolicy',
};
