import { parse } from 'yaml';
import { readPublicKey } from '#crypto/keys.ts';
import type { Evidence, RawEvidence } from '#model/evidence.ts';
import { SIGSTORE_BUNDLE } from '#model/media-types.ts';
import { type ConditionBlock, type Conditions, compileConditions } from '#policy/conditions/condition-blocks.ts';
import type { Attestor } from '#verification/attestor.ts';
import { parseBundle } from '#verification/bundle.ts';
import { parseTrustedRoot, type TrustedRoot } from '#verification/trusted-root.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { type BundleCase, type BundleCheck, bundlePolicy, corpusKey, referrersOf } from './bundle-corpus.ts';
import { RECORDED_NOW } from './recorded-verdicts.ts';
import { type GoIdentity, type GoOptions, goCertificate, goWitnesses, hasIdentity } from './sigstore-go.ts';

/** What Kyverno takes of one image. */
const MAX_REFERRERS = 50;
const MAX_BUNDLE_BYTES = 10 * 1024 * 1024;

interface Entry {
  readonly keys?: Signer & { readonly publicKeys?: string; readonly signatureAlgorithm?: string };
  readonly keyless?: Signer & GoIdentity;
}

interface Signer {
  readonly rekor?: { readonly ignoreTlog?: boolean };
  readonly ctlog?: { readonly ignoreSCT?: boolean };
}

interface AttestorSet {
  readonly count?: number;
  readonly entries: readonly Entry[];
}

interface Attestation {
  readonly type: string;
  readonly attestors?: readonly AttestorSet[];
  readonly conditions?: readonly ConditionBlock[];
  /** Another name of the predicate in the conditions. */
  readonly name?: string;
}

/** Kyverno's verdict under a recorded policy of type SigstoreBundle (interop specification B.10). */
export function kyvernoOnBundles(recorded: BundleCase, check: BundleCheck): 'pass' | 'fail' {
  const root =
    check.trustedRoot === undefined ? undefined : parseTrustedRoot(Buffer.from(corpusKey(check.trustedRoot)));
  const [rule] = parse(bundlePolicy(check.policy ?? '')).spec.rules;
  const bundles = fetched(recorded);
  const image: Image = { recorded, bundles: bundles ?? [], root };
  for (const element of rule.verifyImages) {
    const attestations: readonly Attestation[] = element.attestations ?? [];
    const sets: readonly AttestorSet[] = element.attestors ?? [];
    if (!bundles) return 'fail';
    if (!allHold(sets, (entry) => heldBy(entry, image).length > 0)) return 'fail';
    if (!attestations.every((attestation) => attested(attestation, image))) return 'fail';
  }
  return 'pass';
}

interface Image {
  readonly recorded: BundleCase;
  readonly bundles: readonly RawEvidence[];
  readonly root: TrustedRoot | undefined;
}

/** All bundles, or none when any of what looks like one cannot be read. */
function fetched(recorded: BundleCase): readonly RawEvidence[] | undefined {
  const referrers = referrersOf(recorded);
  if (referrers.length > MAX_REFERRERS) return undefined;
  const bundles = referrers
    .filter(({ artifactType }) => artifactType.startsWith(SIGSTORE_BUNDLE))
    .map(({ layers: [first] }) => first);
  const isSound = (raw: RawEvidence | undefined) =>
    raw?.bytes !== undefined && raw.bytes.length <= MAX_BUNDLE_BYTES && parseBundle(raw.bytes, 'compat').ok;
  return bundles.every(isSound) ? bundles.flatMap((raw) => raw ?? []) : undefined;
}

function attested({ type, attestors = [{ entries: [{}] }], conditions, name }: Attestation, image: Image): boolean {
  const compiled = conditions && compileConditions(conditions, 'conditions');
  return allHold(attestors, (entry) => {
    const held = heldBy(entry, image).filter(({ raw, statement }) => {
      return statement?.predicateType === type && plainType(raw) === type;
    });
    return held.length > 0 && held.every(({ statement }) => meets(statement?.predicate, compiled, name));
  });
}

function meets(predicate: unknown, conditions: Conditions | undefined, name: string | undefined): boolean {
  if (typeof predicate !== 'object' || predicate === null || Array.isArray(predicate)) return false;
  const document = { ...(name === undefined ? {} : { [name]: predicate }), ...predicate };
  return conditions === undefined || conditions.evaluate(document).length === 0;
}

/** Kyverno chooses by the member as it is spelt, before anything reads the statement. */
function plainType({ bytes }: RawEvidence): unknown {
  const parsed = bytes ? parseBundle(bytes, 'compat') : undefined;
  if (!parsed?.ok || parsed.bundle.content.kind !== 'envelope') return undefined;
  return JSON.parse(parsed.bundle.content.payload.toString('utf8')).predicateType;
}

function allHold(sets: readonly AttestorSet[], holds: (entry: Entry) => boolean): boolean {
  return sets.every(({ count, entries }) => entries.filter(holds).length >= (count || entries.length));
}

function heldBy({ keys, keyless }: Entry, { recorded, bundles, root }: Image): readonly Evidence[] {
  const signer = keys ?? keyless;
  if (!signer) return [];
  const options = optionsOf(signer);
  if (!options) return [];
  const isAlone = keys !== undefined && !options.log && !options.observers;
  if (!root && !isAlone) return [];
  const attestor = keys ? keyOf(keys, root, options) : goCertificate(root ?? NO_ROOT, options);
  if (!attestor) return [];
  const hasWhole = (keyless?.subject ?? keyless?.subjectRegExp) && (keyless?.issuer ?? keyless?.issuerRegExp);
  if (keyless && !hasWhole) return [];
  return bundles
    .map((raw) => verifyEvidence(raw, { digest: recorded.digest, attestor, now: RECORDED_NOW }))
    .filter((evidence) => evidence.held === true && (keyless ? hasIdentity(evidence, keyless) : true));
}

const NO_ROOT: TrustedRoot = { certificateAuthorities: [], logs: [], certificateLogs: [], timestampAuthorities: [] };

/** Kyverno reads `ignoreSCT` as: no time need be vouched for; with a log and no time sigstore-go refuses to start. */
function optionsOf({ rekor, ctlog }: Signer): GoOptions | undefined {
  const log = rekor?.ignoreTlog !== true;
  const observed = ctlog?.ignoreSCT !== true;
  if (log && !observed) return undefined;
  return { log, certificateTimestamp: false, ...(observed ? { observers: { source: 'any', least: 1 } } : {}) };
}

function keyOf(
  keys: NonNullable<Entry['keys']>,
  root: TrustedRoot | undefined,
  options: GoOptions,
): Attestor | undefined {
  const hash = (keys.signatureAlgorithm || 'sha256') as 'sha256';
  try {
    // Of several keys in one text the first alone counts.
    const [first = ''] = /-----BEGIN[\s\S]*?-----END [A-Z ]+-----/.exec(keys.publicKeys ?? '') ?? [];
    const key = readPublicKey(first);
    return { kind: 'public-key', profile: 'compat', key, hash, ...goWitnesses(root ?? NO_ROOT, options) };
  } catch {
    return undefined;
  }
}
