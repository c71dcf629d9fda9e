import { AppError } from '#model/errors.ts';
import { parseRepositoryRef } from '#model/image-ref.ts';
import type { AttestorEntryCheck, AttestorSetCheck } from '#policy/attestor-set.ts';
import { compileIdentity, type IdentitySource } from '#policy/certificate-identity.ts';
import {
  bundleEntry,
  emptyBundleEntry,
  type SigstoreRoot,
} from '#policy/dialects/kyverno-cluster-policy/bundle-attestor.ts';
import { expandKeys, hashOf, inlineKey } from '#policy/dialects/kyverno-cluster-policy/public-keys.ts';
import { type AttestorEntry, AttestorSet } from '#policy/dialects/kyverno-cluster-policy/schema.ts';
import { UnsupportedClause } from '#policy/dialects/kyverno-cluster-policy/unsupported-clause.ts';
import { unsupported } from '#policy/unsupported.ts';
import type { Attestor } from '#verification/attestor.ts';
import { compatAuthority, compatCertificate, compatKey, type WitnessSource } from '#verification/compat-attestor.ts';

/** What the element gives to every attestor in it. */
export interface AttestorContext {
  readonly repository?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Whether the attestors are those of the image's own signatures, or stand below an attestation. */
  readonly level: 'rule' | 'attestation';
  /** Of the type SigstoreBundle: what Kyverno's own Sigstore client trusts. Absent: the type is Cosign. */
  readonly bundles?: SigstoreRoot | undefined;
}

type Rekor = NonNullable<AttestorEntry['keys']>['rekor'];
type CtLog = NonNullable<AttestorEntry['keys']>['ctlog'];

/**
 * Compiles a set of attestors. No count means that all entries must pass; several keys in one text are several entries
 * at the rule's level, and the first alone counts below an attestation (interop specification B.3).
 * @throws UnsupportedClause
 */
export function compileAttestorSet(set: AttestorSet, clause: string, context: AttestorContext): AttestorSetCheck {
  const entries = (set.entries ?? []).flatMap((entry, index) => {
    const at = `${clause}.entries[${index}]`;
    const expanded = context.level === 'rule' ? expandKeys(entry) : [entry];
    return expanded.map((each) => compileEntry(each, at, context));
  });
  return { clause, required: set.count || entries.length, entries };
}

function compileEntry(entry: AttestorEntry, clause: string, context: AttestorContext): AttestorEntryCheck {
  const { keys, certificates, keyless } = entry;
  if (entry.attestor) return nestedSet(entry.attestor, `${clause}.attestor`, context);
  if (context.bundles) return bundleEntry(entry, clause, context.bundles);
  if (keys) {
    const at = `${clause}.keys`;
    const hash = hashOf(keys.signatureAlgorithm);
    if (hash === undefined) return nobody(`${at}.signatureAlgorithm`, 'there is no signature algorithm of this name');
    const attestor = readable(at, { key: 'publicKeys' }, () => compatKey(inlineKey(keys), hash, witnessesOf(keys)));
    return attestorCheck(entry, at, context, attestor);
  }
  if (certificates) return certificateEntry(entry, certificates, `${clause}.certificates`, context);
  if (!keyless) return refuse(clause, 'an empty attestor, which trusts anyone that the public instance does');
  const at = `${clause}.keyless`;
  const { roots } = keyless;
  if (!roots) return refuse(at, 'keyless without roots, which trusts the public instance');
  const attestor = readable(at, { anchors: 'roots' }, () => compatAuthority(roots, witnessesOf(keyless)));
  return attestorCheck(entry, at, context, attestor, {
    subject: keyless.subject ?? '',
    subjectRegExp: keyless.subjectRegExp ?? '',
    issuer: keyless.issuer ?? '',
    issuerRegExp: keyless.issuerRegExp ?? '',
    additionalExtensions: keyless.additionalExtensions ?? {},
  });
}

function certificateEntry(
  entry: AttestorEntry,
  certificates: NonNullable<AttestorEntry['certificates']>,
  clause: string,
  context: AttestorContext,
): AttestorEntryCheck {
  const cert = certificates.cert ?? '';
  const certChain = certificates.certChain ?? '';
  if (cert && certChain) {
    // Kyverno validates the path before it knows of ctlog, so an SCT is asked for that nobody can give (K.4, 68).
    return nobody(clause, 'cert together with certChain never passes in Kyverno; remove cert');
  }
  const witnesses = witnessesOf(certificates);
  if (certChain) {
    const attestor = readable(clause, { anchors: 'certChain' }, () => compatAuthority(certChain, witnesses));
    return attestorCheck(entry, clause, context, attestor);
  }
  const hash = hashOf(entry.signatureAlgorithm);
  if (hash === undefined) return nobody(`${clause}.cert`, 'there is no signature algorithm of this name');
  const attestor = readable(clause, { key: 'cert' }, () => compatCertificate(cert, hash, witnesses));
  return attestorCheck(entry, clause, context, attestor);
}

function nestedSet(attestor: unknown, clause: string, context: AttestorContext): AttestorEntryCheck {
  if (context.level === 'attestation') {
    if (context.bundles) return emptyBundleEntry(clause);
    return refuse(clause, 'a nested attestor below an attestation, which trusts anyone that the public instance does');
  }
  const set = AttestorSet.safeParse(attestor);
  if (!set.success) return nobody(clause, 'the nested attestor is no set of entries');
  return { kind: 'set', set: compileAttestorSet(set.data, clause, context) };
}

function attestorCheck(
  entry: AttestorEntry,
  clause: string,
  context: AttestorContext,
  attestor: Attestor,
  identity: IdentitySource = {},
): AttestorEntryCheck {
  const repository = entry.repository || context.repository;
  const annotations = entry.annotations ?? context.annotations ?? {};
  const wanted = readable(clause, {}, () => compileIdentity(identity));
  return {
    kind: 'attestor',
    clause,
    attestor,
    ...(repository ? { repository: readable(`${clause}.repository`, {}, () => parseRepositoryRef(repository)) } : {}),
    ...(wanted ? { identity: wanted } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
}

function witnessesOf({ rekor, ctlog }: { readonly rekor?: Rekor; readonly ctlog?: CtLog }): WitnessSource {
  return {
    transparencyLog: rekor?.ignoreTlog ? 'ignored' : 'required',
    certificateTimestamp: ctlog?.ignoreSCT ? 'ignored' : 'required',
    ...(rekor?.pubkey ? { logKey: rekor.pubkey } : {}),
    ...(ctlog?.pubkey ? { certificateLogKey: ctlog.pubkey } : {}),
    ...(ctlog?.tsaCertChain ? { timestampAuthority: ctlog.tsaCertChain } : {}),
  };
}

/** What the parts of an attestor are called in the policy. */
const FIELDS: Readonly<Record<string, string>> = {
  logKey: 'rekor.pubkey',
  certificateLogKey: 'ctlog.pubkey',
  timestampAuthority: 'ctlog.tsaCertChain',
};

/** Admission takes any text for a key, certificate or repository; what comes of a bad one is not guessed. */
function readable<Result>(clause: string, names: Readonly<Record<string, string>>, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const field = names[error.field ?? ''] ?? FIELDS[error.field ?? ''];
    const at = field === undefined ? clause : `${clause}.${field}`;
    throw new UnsupportedClause(
      at,
      unsupported(`${error.message}: what comes of that is not supported yet`, error.mend),
    );
  }
}

function nobody(clause: string, message: string): AttestorEntryCheck {
  return { kind: 'nobody', reason: { code: 'attestor-impossible', message, clause } };
}

function refuse(clause: string, what: string): never {
  throw new UnsupportedClause(clause, unsupported(what));
}
