/** Every rule of the linter: what breaks it means. The closed catalogue of what a finding can be. */
export const LINT_RULES = {
  'chain-root': 'The certificate must lead to a self-signed root (Scribe valint; cosign --certificate-chain).',
  'chain-unused': 'The chain file holds certificates that the chain does not need.',
  'not-self-signed': 'A signing certificate is issued by a CA, not by itself.',
  'alternative-name': 'The signer is named by a URI or an e-mail address in subjectAlternativeName.',
  'code-signing': 'Extended key usage must hold code signing, 1.3.6.1.5.5.7.3.3.',
  'code-signing-issuer': 'An issuer that restricts its usages must allow code signing (EKU nesting).',
  'key-usage': 'Key usage, where present, must allow digitalSignature for the leaf and keyCertSign for issuers.',
  'leaf-not-ca': 'A signing certificate must not be a CA.',
  'issuer-is-ca': 'Every issuer must be a CA by basicConstraints.',
  'path-length': 'No more CA certificates may stand below an issuer than its path length allows.',
  'not-expired': 'Every certificate must not have expired.',
  'valid-already': 'Every certificate must be valid already.',
  'expires-soon': 'A signature without a timestamp falls with its certificate.',
  'key-kind': 'The key must be of a kind that all verifiers read.',
  'key-size': 'The key must be strong enough.',
  'key-matches': 'The private key must belong to the certificate.',
  'sound-signature': 'No certificate below the root may be signed with SHA-1 or MD5.',
  'critical-extension': 'Verifiers refuse critical extensions that they do not know.',
  path: 'The path must hold by the strict reading and by that of cosign and Kyverno.',
} as const;

export type LintRule = keyof typeof LINT_RULES;

export interface Finding {
  readonly rule: LintRule;
  /** An error refuses the certificate; a warning does not. */
  readonly level: 'error' | 'warning';
  readonly message: string;
  /** What to do about it. */
  readonly mend: string;
  /** Which certificate: 0 is the leaf, the last the root. */
  readonly certificate: number;
}
