import { type Digest, digestHex, isDigest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import type { Reason, Verdict } from '#model/verdict.ts';
import { OBSERVER_SUFFIX, type ObserverBuilderId } from '#predicates/observer.ts';

/** SLSA verification summary v1 (interop E.5), as far as it is written here. */
export interface SummaryPredicate {
  readonly verifier: { readonly id: string; readonly version: Readonly<Record<string, string>> };
  /** When the state that it tells of was found; absent in comparisons. */
  readonly timeVerified?: string;
  readonly resourceUri: string;
  readonly policy: { readonly uri: string; readonly digest: Readonly<Record<string, string>> };
  readonly inputAttestations?: readonly { readonly uri: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly verificationResult: 'PASSED' | 'FAILED';
  readonly verifiedLevels: readonly string[];
  readonly slsaVersion: string;
}

export interface SummaryInput {
  readonly verdict: Verdict;
  /** The image by the registry's configured name, as it was judged. */
  readonly image: ImageRef & { readonly digest: Digest };
  readonly builderId: ObserverBuilderId;
  readonly timeVerified: Date;
  /** What a pass attests beside that no level was evaluated; never levels of SLSA. */
  readonly levels: readonly string[];
}

const VERIFIER_SUFFIX = '/verifier/v1';
const SLSA_VERSION = '1.0';

/** `verifier.id` of an installation: beside its builder id, under the same host, so that neither can name another's. */
export function verifierId(builderId: ObserverBuilderId): string {
  return `${builderId.slice(0, -OBSERVER_SUFFIX.length)}${VERIFIER_SUFFIX}`;
}

/** True for the `verifier.id` of any installation of this program. */
export function isVerifierId(text: string): boolean {
  return text.endsWith(VERIFIER_SUFFIX) && text.startsWith('https://');
}

/**
 * What a verdict says, as a verification summary; undefined for one that says nothing of the image (`skip`, `error`).
 * Only `pass` is `PASSED`. It names all attestations that were used, or none.
 * @throws AppError `config-invalid` for a level that is not ours to give.
 */
export function summaryPredicate(input: SummaryInput): SummaryPredicate | undefined {
  const { verdict, image, builderId, timeVerified, levels } = input;
  if (verdict.outcome === 'skip' || verdict.outcome === 'error') return undefined;
  const passed = verdict.outcome === 'pass';
  const foreign = levels.find((level) => level.startsWith('SLSA_') || level === 'FAILED');
  if (foreign !== undefined) {
    const mend = 'write names of your own: levels of SLSA are evaluated, not configured';
    throw new AppError('config-invalid', `the level ${foreign} is not ours to give`, { field: 'verifiedLevels', mend });
  }
  const inputs = passed ? inputAttestations(verdict.reasons) : undefined;
  return {
    verifier: { id: verifierId(builderId), version: { [TOOL_NAME]: TOOL_VERSION } },
    timeVerified: `${timeVerified.toISOString().slice(0, 19)}Z`,
    resourceUri: `oci://${formatImageRef(withoutTag(image))}`,
    policy: { uri: verdict.policy.uri, digest: digestSet(verdict.policy.digest) },
    ...(inputs === undefined ? {} : { inputAttestations: inputs }),
    verificationResult: passed ? 'PASSED' : 'FAILED',
    verifiedLevels: passed ? ['SLSA_BUILD_LEVEL_UNEVALUATED', ...levels] : ['FAILED'],
    slsaVersion: SLSA_VERSION,
  };
}

/** Which policy a summary is of; undefined for what is no summary. */
export function summarisedPolicy(predicate: unknown): string | undefined {
  const policy = member(predicate, 'policy');
  const uri = member(policy, 'uri');
  return typeof uri === 'string' ? uri : undefined;
}

/** Both say the same of the same image under the same policy, whenever they were made. */
export function isSameSummary(one: unknown, other: SummaryPredicate): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (key === 'timeVerified') return undefined;
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Undefined when one of the reasons does not say which attestation it is about: part of a list would be a false one. */
function inputAttestations(reasons: readonly Reason[]): SummaryPredicate['inputAttestations'] {
  const found = new Map<string, { uri: string; digest: Record<string, string> }>();
  for (const { code, evidence } of reasons) {
    if (code !== 'verified') continue;
    const digest = evidence?.slice(evidence.indexOf('@') + 1);
    if (evidence === undefined || !isDigest(digest)) return undefined;
    found.set(evidence, { uri: `oci://${evidence}`, digest: digestSet(digest) });
  }
  return found.size === 0 ? undefined : [...found.values()].sort((a, b) => (a.uri < b.uri ? -1 : 1));
}

function withoutTag({ registry, repository, digest }: SummaryInput['image']): ImageRef {
  return { registry, repository, digest };
}

function digestSet(digest: Digest): Record<string, string> {
  return { [digest.slice(0, digest.indexOf(':'))]: digestHex(digest) };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
