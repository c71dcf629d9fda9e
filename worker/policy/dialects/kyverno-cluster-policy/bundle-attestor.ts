import type { AttestorCheck, AttestorEntryCheck } from '#policy/attestor-set.ts';
import { bundleIdentity } from '#policy/dialects/kyverno-cluster-policy/bundle-identity.ts';
import { hashOf } from '#policy/dialects/kyverno-cluster-policy/public-keys.ts';
import type { AttestorEntry } from '#policy/dialects/kyverno-cluster-policy/schema.ts';
import { UnsupportedClause } from '#policy/dialects/kyverno-cluster-policy/unsupported-clause.ts';
import { unsupported } from '#policy/unsupported.ts';
import type { Attestor } from '#verification/attestor.ts';
import { liveAttestor } from '#verification/live-attestor.ts';
import { firstKey, type GoOptions, goCertificate, goKey, NO_ROOT } from '#verification/sigstore-go.ts';
import type { TrustedRoot } from '#verification/trusted-root.ts';

/** What the Sigstore client of the admission controller trusts at this moment. @throws AppError `trust-unavailable`. */
export type SigstoreRoot = () => TrustedRoot;

type Keys = NonNullable<AttestorEntry['keys']>;
type Keyless = NonNullable<AttestorEntry['keyless']>;

/**
 * One attestor of the type SigstoreBundle (interop specification B.10). Roots, log keys, annotations, extensions and the
 * repository that it may name are passed over by Kyverno.
 * @throws UnsupportedClause
 */
export function bundleEntry(entry: AttestorEntry, clause: string, root: SigstoreRoot): AttestorEntryCheck {
  const { keys, keyless } = entry;
  const signer = keys ?? keyless;
  if (!signer) return emptyBundleEntry(clause);
  const at = `${clause}.${keys ? 'keys' : 'keyless'}`;
  const options = optionsOf(signer);
  if (!options) {
    return nobody(
      `${at}.ctlog.ignoreSCT`,
      'with ctlog.ignoreSCT and a log entry wanted, Kyverno asks nobody for the time and verifies nothing',
    );
  }
  return keys ? keyEntry(keys, at, root, options) : keylessEntry(keyless as Keyless, at, root, options);
}

/** An attestor that names neither a key nor an identity: of bundles nobody satisfies it. */
export function emptyBundleEntry(clause: string): AttestorEntryCheck {
  return nobody(clause, 'for the type SigstoreBundle only keys and keyless can be satisfied');
}

function keylessEntry(keyless: Keyless, at: string, root: SigstoreRoot, options: GoOptions): AttestorEntryCheck {
  const { subject, subjectRegExp, issuer, issuerRegExp } = keyless;
  if (!(subject || subjectRegExp) || !(issuer || issuerRegExp)) {
    return nobody(at, 'for the type SigstoreBundle keyless needs both a subject and an issuer');
  }
  const compiled = bundleIdentity({ subject, subjectRegExp, issuer, issuerRegExp }, at);
  if (typeof compiled === 'string') return nobody(at, compiled);
  const attestor = liveAttestor({
    kind: 'certificate-chain',
    source: JSON.stringify(options),
    current: () => goCertificate(root(), options),
  });
  return { ...entryOf(at, attestor), identity: compiled };
}

function keyEntry(keys: Keys, at: string, root: SigstoreRoot, options: GoOptions): AttestorEntryCheck {
  const text = keys.publicKeys ?? '';
  const what = 'a key that is not written out (KMS, secret or reference)';
  if (!text.includes('PUBLIC KEY')) {
    throw new UnsupportedClause(at, unsupported(what, 'write the key into publicKeys'));
  }
  const hash = hashOf(keys.signatureAlgorithm);
  if (hash === undefined) return nobody(`${at}.signatureAlgorithm`, 'there is no signature algorithm of this name');
  const key = firstKey(text);
  if (!key) return nobody(`${at}.publicKeys`, 'the key cannot be read');
  const isAlone = !options.log && !options.observers;
  const current = () => goKey(key, hash, isAlone ? NO_ROOT : root(), options);
  return entryOf(at, liveAttestor({ kind: 'public-key', source: JSON.stringify(options), current }));
}

/** Kyverno reads `ignoreSCT` as: no time need be vouched for; with a log and no time sigstore-go refuses to start. */
function optionsOf({ rekor, ctlog }: Keys | Keyless): GoOptions | undefined {
  const log = rekor?.ignoreTlog !== true;
  const observed = ctlog?.ignoreSCT !== true;
  if (log && !observed) return undefined;
  return { log, certificateTimestamp: false, ...(observed ? { observers: { source: 'any', least: 1 } } : {}) };
}

function entryOf(clause: string, attestor: Attestor): AttestorCheck {
  return { kind: 'attestor', clause, attestor, reads: 'listed-bundles' };
}

function nobody(clause: string, message: string): AttestorEntryCheck {
  return { kind: 'nobody', reason: { code: 'attestor-impossible', message, clause } };
}
