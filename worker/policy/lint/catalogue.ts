/** `error`: it never works, or lets in what nobody meant. `warning`: it does less than it seems to. `note`: it will not stay. */
export const SEVERITIES = ['error', 'warning', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface LintRow {
  readonly severity: Severity;
  /** What is wrong. */
  readonly says: string;
  /** What it does in admission. */
  readonly effect: string;
  readonly mend: string;
}

/** The closed catalogue of what the linter finds: every row is certain by the text of the policy alone (interop B, I, K). */
export const LINTS = {
  'not-yaml': {
    severity: 'error',
    says: 'the document cannot be read',
    effect: 'nothing can be said of it',
    mend: 'correct the YAML',
  },
  'schema-broken': {
    severity: 'error',
    says: 'the document breaks the schema of its kind',
    effect: 'the cluster refuses it, or drops the field that it does not know',
    mend: 'correct the field',
  },
  'refused-by-admission': {
    severity: 'error',
    says: 'the admission controller refuses this policy',
    effect: 'it is never in force, for any image',
    mend: 'see the message',
  },
  'kind-not-linted': {
    severity: 'note',
    says: 'policies of this kind are not known here',
    effect: 'nothing was looked at',
    mend: 'give a ClusterPolicy, Policy, ImageValidatingPolicy or ClusterImagePolicy',
  },
  'deprecated-kind': {
    severity: 'note',
    says: 'the kind or its version is deprecated',
    effect: 'it still works, and its removal is announced; for ClusterPolicy with Kyverno 1.20',
    mend: 'plan to move to ImageValidatingPolicy of policies.kyverno.io/v1',
  },
  'deprecated-field': {
    severity: 'note',
    says: 'the field is deprecated',
    effect: 'it still works, under another name',
    mend: 'write type for predicateType, attestors for the old flat form',
  },
  'reference-without-host': {
    severity: 'error',
    says: 'no registry host stands in front',
    effect: "it is taken for Docker Hub's: it matches no image of another registry, and evidence is looked for there",
    mend: 'write the registry in front: registry.example.com/…',
  },
  'digest-not-matched': {
    severity: 'warning',
    says: 'the pattern ends in a tag, which a reference by digest does not show',
    effect: 'a Pod that names the image by digest is not matched, and its image is not verified',
    mend: 'end the pattern in * without a colon, or list name@* beside it',
  },
  'nothing-verified': {
    severity: 'error',
    says: 'there are neither attestors nor attestations',
    effect: 'the element verifies nothing, and every image passes it',
    mend: 'add attestors, or attestations with attestors',
  },
  'attestation-without-attestors': {
    severity: 'error',
    says: 'the attestation names no attestors',
    effect:
      'type Cosign: anybody with an account at the public Sigstore instance satisfies it. SigstoreBundle: nobody does',
    mend: 'add attestors to the attestation; those of the rule do not count for it',
  },
  'nested-attestor-ignored': {
    severity: 'error',
    says: 'a nested attestor stands below an attestation',
    effect:
      'Kyverno reads it as an empty one. Type Cosign: anybody at the public instance satisfies it; SigstoreBundle: nobody',
    mend: 'write its entries into the set itself, with count',
  },
  'cert-beside-chain': {
    severity: 'error',
    says: 'cert stands beside certChain',
    effect: 'Kyverno then asks for a certificate timestamp before it knows of ctlog: it never passes',
    mend: 'remove cert',
  },
  'chain-without-ignore-tlog': {
    severity: 'error',
    says: 'certChain without rekor.ignoreTlog: true or a key of a log',
    effect: 'an entry of the public log is wanted, which evidence of a private CA does not have: every image fails',
    mend: 'add rekor: { ignoreTlog: true }, or rekor.pubkey of your own log',
  },
  'chain-without-ignore-sct': {
    severity: 'error',
    says: 'certChain without ctlog.ignoreSCT: true or a key of a certificate log',
    effect: 'a certificate timestamp is wanted, which a private CA does not give: every image fails',
    mend: 'add ctlog: { ignoreSCT: true }, or ctlog.pubkey of your own certificate log',
  },
  'second-key-ignored': {
    severity: 'warning',
    says: 'several keys stand in one publicKeys below an attestation',
    effect: 'only the first of them counts there',
    mend: 'write one entry for each key, and count',
  },
  'annotations-never-match': {
    severity: 'error',
    says: 'annotations are wanted of an attestation',
    effect: 'an attestation has no signed place for them: it fails, or goes by a member that nobody signed',
    mend: 'remove annotations; put a condition on the predicate',
  },
  'any-identity': {
    severity: 'warning',
    says: 'keyless names neither subject nor issuer',
    effect: 'whoever the CA certified satisfies it',
    mend: 'name subject and issuer',
  },
  'unknown-extension': {
    severity: 'error',
    says: 'additionalExtensions names an extension that cannot be asked for',
    effect: 'the attestor always fails',
    mend: 'use oidcIssuer, githubWorkflowTrigger, githubWorkflowSha, githubWorkflowName, githubWorkflowRepository or githubWorkflowRef',
  },
  'expression-not-anchored': {
    severity: 'warning',
    says: 'the regular expression has no ^ at its start or no $ at its end',
    effect: 'it may match anywhere: an identity that only contains the text is accepted',
    mend: 'write ^…$ around it',
  },
  'expression-invalid': {
    severity: 'error',
    says: 'the text is no regular expression (RE2)',
    effect: 'the attestor always fails',
    mend: 'correct it; look-around and back-references do not exist there',
  },
  'bundle-attestor-impossible': {
    severity: 'error',
    says: 'this attestor cannot be satisfied for the type SigstoreBundle',
    effect: 'every image fails',
    mend: 'use keys, or keyless with both a subject and an issuer; ctlog.ignoreSCT only beside rekor.ignoreTlog',
  },
  'bundle-wildcard': {
    severity: 'error',
    says: 'a wildcard stands in an identity of the type SigstoreBundle',
    effect: 'it is compared as it is written, and matches nobody',
    mend: 'use subjectRegExp or issuerRegExp, anchored',
  },
  'field-ignored': {
    severity: 'warning',
    says: 'the field is not looked at here',
    effect: 'the policy does not ask for what it seems to ask for',
    mend: 'remove it; for roots and keys of logs, configure the Sigstore client of the admission controller',
  },
  'versioned-predicate-type': {
    severity: 'warning',
    says: 'the predicateType carries a version that tools do not write',
    effect: 'types are compared exactly: unless somebody attaches evidence under just this name, every image fails',
    mend: 'write https://cyclonedx.org/bom or https://spdx.dev/Document',
  },
  'provenance-any-builder': {
    severity: 'warning',
    says: 'no condition looks at builder.id of the provenance',
    effect: 'provenance of any builder, also of one that only observed the image, is accepted',
    mend: 'add a condition on {{ runDetails.builder.id }} (v1) or {{ builder.id }} (v0.2)',
  },
  'deny-on-some-elements': {
    severity: 'error',
    says: 'validate.deny stands on some elements of the rule and not on others',
    effect: 'Kyverno crashes over it',
    mend: 'write validate.deny on every element of the rule, or on none',
  },
  'static-pass': {
    severity: 'warning',
    says: 'the authority passes without looking at anything',
    effect: 'every image that the pattern matches is let in',
    mend: 'remove it, or keep its pattern narrow',
  },
} as const satisfies Readonly<Record<string, LintRow>>;

export type LintCode = keyof typeof LINTS;
