import type { Digest } from '#model/digest.ts';
import type { EvidenceLocation } from '#model/evidence.ts';
import type { ImageRef, RepositoryRef } from '#model/image-ref.ts';
import type { Outcome, Reason } from '#model/verdict.ts';
import type { CertificateIdentity } from '#policy/certificate-identity.ts';
import type { Attestor } from '#verification/attestor.ts';

/** Attestors of which `required` must hold. */
export interface AttestorSetCheck {
  readonly clause: string;
  /** How many entries must pass; the first ones that do end the search. */
  readonly required: number;
  readonly entries: readonly AttestorEntryCheck[];
}

export type AttestorEntryCheck = AttestorCheck | NestedSet | NobodyCheck;

/** One attestor. */
export interface AttestorCheck {
  readonly kind: 'attestor';
  readonly clause: string;
  readonly attestor: Attestor;
  /** Where its evidence is; absent: the image's own repository. */
  readonly repository?: RepositoryRef;
  /** Its evidence is the bundles that the registry lists; absent: cosign's tags. */
  readonly reads?: 'listed-bundles';
  /** What the certificate must say; absent: nothing in particular. */
  readonly identity?: CertificateIdentity;
  /** Annotations that the signer must have made. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A set that counts as one attestor. */
export interface NestedSet {
  readonly kind: 'set';
  readonly set: AttestorSetCheck;
}

/** An attestor that the tool can never be satisfied by. */
export interface NobodyCheck {
  readonly kind: 'nobody';
  readonly reason: Reason;
}

export interface CheckResult {
  readonly outcome: Extract<Outcome, 'pass' | 'fail' | 'error'>;
  readonly reasons: readonly Reason[];
}

/** The evidence locations that a set reads. */
export function setLocations(set: AttestorSetCheck, image: ImageRef, digest: Digest): readonly EvidenceLocation[] {
  return set.entries.flatMap((entry) => entryLocations(entry, image, digest));
}

function entryLocations(entry: AttestorEntryCheck, image: ImageRef, digest: Digest): readonly EvidenceLocation[] {
  switch (entry.kind) {
    case 'attestor':
      return [checkLocation(entry, image, digest)];
    case 'set':
      return setLocations(entry.set, image, digest);
    case 'nobody':
      return [];
  }
}

export function checkLocation(check: AttestorCheck, image: ImageRef, digest: Digest): EvidenceLocation {
  const { registry, repository } = check.repository ?? image;
  return { registry, repository, digest };
}

/** Judges every set in its order: each must pass, the first that does not decides (interop specification B.3). */
export function evaluateSets(
  sets: readonly AttestorSetCheck[],
  judge: (entry: AttestorCheck) => CheckResult,
): CheckResult {
  const passed: Reason[] = [];
  for (const set of sets) {
    const result = evaluateSet(set, judge);
    if (result.outcome !== 'pass') return result;
    passed.push(...result.reasons);
  }
  return { outcome: 'pass', reasons: passed };
}

function evaluateSet(set: AttestorSetCheck, judge: (entry: AttestorCheck) => CheckResult): CheckResult {
  const results: CheckResult[] = [];
  for (const entry of set.entries) {
    results.push(evaluateEntry(entry, judge));
    const passed = results.filter(({ outcome }) => outcome === 'pass');
    if (passed.length >= set.required) return { outcome: 'pass', reasons: passed.flatMap(({ reasons }) => reasons) };
  }
  const count = (wanted: CheckResult['outcome']) => results.filter(({ outcome }) => outcome === wanted).length;
  const reasons = results.filter(({ outcome }) => outcome !== 'pass').flatMap((result) => result.reasons);
  // Entries that could not be checked decide only when they could have made up the count.
  const outcome = count('error') > 0 && count('pass') + count('error') >= set.required ? 'error' : 'fail';
  if (set.entries.length === 1) return { outcome, reasons };
  const summary: Reason = {
    code: 'attestor-count',
    message: `${count('pass')} of ${set.entries.length} attestors hold`,
    clause: set.clause,
    wanted: String(set.required),
    found: String(count('pass')),
  };
  return { outcome, reasons: [summary, ...reasons] };
}

function evaluateEntry(entry: AttestorEntryCheck, judge: (entry: AttestorCheck) => CheckResult): CheckResult {
  switch (entry.kind) {
    case 'attestor':
      return judge(entry);
    case 'set':
      return evaluateSet(entry.set, judge);
    case 'nobody':
      return { outcome: 'fail', reasons: [entry.reason] };
  }
}
