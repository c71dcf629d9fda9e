import * as z from 'zod/mini';

/**
 * The fields of Kyverno's `ClusterPolicy` and `Policy` (kyverno.io/v1, v2beta1) as far as `verifyImages` is concerned
 * (interop specification B.2). Every object names all fields of the resource definition, because a misspelled one
 * would otherwise switch a check off in silence; what is not judged here is taken as it is.
 */
const Anything = z.optional(z.nullable(z.unknown()));
const Text = z.optional(z.nullable(z.string()));
const Flag = z.optional(z.nullable(z.boolean()));
const Texts = z.optional(z.nullable(z.array(z.string())));
const TextMap = z.optional(z.nullable(z.record(z.string(), z.string())));

function list<Item extends z.core.$ZodType>(item: Item) {
  return z.optional(z.nullable(z.array(item)));
}

function maybe<Inner extends z.core.$ZodType>(inner: Inner) {
  return z.optional(z.nullable(inner));
}

const ACTIONS = ['Audit', 'Enforce'] as const;

export const Rekor = z.strictObject({ url: Text, pubkey: Text, ignoreTlog: Flag });
export const CtLog = z.strictObject({ ignoreSCT: Flag, pubkey: Text, tsaCertChain: Text });

const Certificates = z.strictObject({ cert: Text, certChain: Text, rekor: maybe(Rekor), ctlog: maybe(CtLog) });

const Keys = z.strictObject({
  publicKeys: Text,
  signatureAlgorithm: Text,
  kms: Text,
  secret: Anything,
  rekor: maybe(Rekor),
  ctlog: maybe(CtLog),
});

const Keyless = z.strictObject({
  rekor: maybe(Rekor),
  ctlog: maybe(CtLog),
  issuer: Text,
  issuerRegExp: Text,
  subject: Text,
  subjectRegExp: Text,
  roots: Text,
  additionalExtensions: TextMap,
});

export const AttestorEntry = z.strictObject({
  keys: maybe(Keys),
  certificates: maybe(Certificates),
  keyless: maybe(Keyless),
  attestor: Anything,
  annotations: TextMap,
  repository: Text,
  signatureAlgorithm: Text,
});
export type AttestorEntry = z.infer<typeof AttestorEntry>;

export const AttestorSet = z.strictObject({
  count: maybe(z.int()),
  entries: list(AttestorEntry),
});
export type AttestorSet = z.infer<typeof AttestorSet>;

const Condition = z.strictObject({ key: Anything, operator: Text, value: Anything, message: Text });

export const ConditionBlock = z.strictObject({ any: list(Condition), all: list(Condition) });
export type ConditionBlock = z.infer<typeof ConditionBlock>;

export const Attestation = z.strictObject({
  name: Text,
  type: Text,
  predicateType: Text,
  attestors: list(AttestorSet),
  conditions: list(ConditionBlock),
});
export type Attestation = z.infer<typeof Attestation>;

export const ImageVerification = z.strictObject({
  failureAction: maybe(z.enum(ACTIONS)),
  type: maybe(z.enum(['Cosign', 'SigstoreBundle', 'Notary'])),
  image: Text,
  imageReferences: Texts,
  skipImageReferences: Texts,
  key: Text,
  roots: Text,
  subject: Text,
  issuer: Text,
  additionalExtensions: TextMap,
  attestors: list(AttestorSet),
  attestations: list(Attestation),
  annotations: TextMap,
  repository: Text,
  cosignOCI11: Flag,
  mutateDigest: Flag,
  verifyDigest: Flag,
  validate: maybe(z.strictObject({ message: Text, deny: Anything })),
  required: Flag,
  imageRegistryCredentials: Anything,
  useCache: Flag,
});
export type ImageVerification = z.infer<typeof ImageVerification>;

const Resources = z.strictObject({
  kinds: Texts,
  name: Text,
  names: Texts,
  namespaces: Texts,
  annotations: TextMap,
  selector: Anything,
  namespaceSelector: Anything,
  operations: Texts,
});

export const ResourceFilter = z.strictObject({
  resources: maybe(Resources),
  roles: Texts,
  clusterRoles: Texts,
  subjects: Anything,
});
export type ResourceFilter = z.infer<typeof ResourceFilter>;

export const MatchResources = z.extend(ResourceFilter, {
  any: list(ResourceFilter),
  all: list(ResourceFilter),
});
export type MatchResources = z.infer<typeof MatchResources>;

export const Rule = z.strictObject({
  name: Text,
  context: Anything,
  reportProperties: Anything,
  match: maybe(MatchResources),
  exclude: maybe(MatchResources),
  imageExtractors: Anything,
  preconditions: Anything,
  celPreconditions: Anything,
  mutate: Anything,
  validate: Anything,
  generate: Anything,
  verifyImages: list(ImageVerification),
  skipBackgroundRequests: Flag,
});
export type Rule = z.infer<typeof Rule>;

export const Spec = z.strictObject({
  rules: list(Rule),
  applyRules: Text,
  failurePolicy: Text,
  validationFailureAction: maybe(z.enum(['audit', 'enforce', ...ACTIONS])),
  validationFailureActionOverrides: Anything,
  emitWarning: Flag,
  admission: Flag,
  background: Flag,
  schemaValidation: Flag,
  webhookTimeoutSeconds: Anything,
  mutateExistingOnPolicyUpdate: Flag,
  generateExisting: Flag,
  generateExistingOnPolicyUpdate: Flag,
  useServerSideApply: Flag,
  webhookConfiguration: maybe(
    z.strictObject({ failurePolicy: Text, timeoutSeconds: Anything, matchConditions: list(z.unknown()) }),
  ),
});
export type Spec = z.infer<typeof Spec>;

/** The document around the spec; metadata and status are Kubernetes' own. */
export const PolicyDocument = z.object({
  apiVersion: z.string(),
  kind: z.enum(['ClusterPolicy', 'Policy']),
  metadata: z.object({ name: z.string().check(z.minLength(1)), namespace: Text }),
  spec: Spec,
});
export type PolicyDocument = z.infer<typeof PolicyDocument>;
