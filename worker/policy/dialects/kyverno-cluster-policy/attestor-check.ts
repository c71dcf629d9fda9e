import { AppError } from '#model/errors.ts';
import { parseRepositoryRef, type RepositoryRef } from '#model/image-ref.ts';
import type { AttestorCheck, AttestorSetCheck } from '#policy/attestation-check.ts';
import type { AttestorEntry, AttestorSet } from '#policy/dialects/kyverno-cluster-policy/schema.ts';
import { unsupported } from '#policy/unsupported.ts';
import { compatChainAttestor } from '#verification/attestor-from-pem.ts';

/** A part of a policy that is not judged, with its place. */
export class UnsupportedClause extends Error {
  readonly clause: string;
  readonly reason: AppError;

  constructor(clause: string, reason: AppError) {
    super(reason.message);
    this.name = 'UnsupportedClause';
    this.clause = clause;
    this.reason = reason;
  }
}

/**
 * Compiles a set of attestors below an attestation. No count means that all entries must pass (interop specification
 * B.3).
 * @throws UnsupportedClause
 */
export function compileAttestorSet(set: AttestorSet, clause: string, repository: string | undefined): AttestorSetCheck {
  const entries = (set.entries ?? []).map((entry, index) =>
    compileEntry(entry, `${clause}.entries[${index}]`, repository),
  );
  return { clause, required: set.count || entries.length, entries };
}

function compileEntry(entry: AttestorEntry, clause: string, inherited: string | undefined): AttestorCheck {
  for (const kind of ['keys', 'keyless', 'attestor'] as const) {
    if (entry[kind]) refuse(`${clause}.${kind}`, `the attestor ${kind}`);
  }
  const { certificates } = entry;
  if (!certificates) return refuse(clause, 'an empty attestor, which trusts anyone that the public instance does');
  const at = `${clause}.certificates`;
  if (certificates.cert) refuse(`${at}.cert`, 'certificates.cert');
  if (certificates.ctlog?.tsaCertChain) refuse(`${at}.ctlog.tsaCertChain`, 'a timestamp authority (tsaCertChain)');
  // An attestation's envelope has no signed place for annotations: Kyverno reads them from unsigned members.
  if (entry.annotations && Object.keys(entry.annotations).length > 0) refuse(`${clause}.annotations`, 'annotations');
  const repository = entry.repository || inherited;
  return {
    clause: at,
    attestor: certificateAttestor(certificates, at),
    ...(repository ? { repository: repositoryOf(repository, `${clause}.repository`) } : {}),
  };
}

function certificateAttestor(certificates: NonNullable<AttestorEntry['certificates']>, clause: string) {
  try {
    return compatChainAttestor(
      certificates.certChain ?? '',
      certificates.rekor?.ignoreTlog ? 'ignored' : 'required',
      certificates.ctlog?.ignoreSCT ? 'ignored' : 'required',
    );
  } catch (error) {
    throw clauseOf(`${clause}.certChain`, error);
  }
}

function repositoryOf(repository: string, clause: string): RepositoryRef {
  try {
    return parseRepositoryRef(repository);
  } catch (error) {
    throw clauseOf(clause, error);
  }
}

/** Admission takes any text for a certificate or repository; what comes of a bad one is not guessed. */
function clauseOf(clause: string, error: unknown): unknown {
  return error instanceof AppError ? new UnsupportedClause(clause, unsupported(error.message, error.mend)) : error;
}

function refuse(clause: string, what: string): never {
  throw new UnsupportedClause(clause, unsupported(what));
}
