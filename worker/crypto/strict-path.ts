import type { Certificate } from '#crypto/certificate.ts';
import { policyDefect } from '#crypto/certificate-policies.ts';
import { signatureDefect } from '#crypto/certificate-signature.ts';
import { describeKey, keyKind } from '#crypto/key-kind.ts';
import { constraintsDefect } from '#crypto/name-constraints.ts';
import type { PathInput, PathResult } from '#crypto/path-input.ts';
import {
  ANY_EXTENDED_KEY_USAGE,
  CODE_SIGNING,
  criticalDefect,
  pathDefect,
  untrusted,
  validityDefect,
} from '#crypto/path-rules.ts';
import { searchPaths } from '#crypto/path-search.ts';
import type { EvidenceDefect } from '#model/evidence.ts';

/** Certificates of one path, leaf and anchor included. */
const MAX_PATH_LENGTH = 11;
const CURVES: readonly string[] = ['P-256', 'P-384', 'P-521'];

/** Asks for the whole code signing profile of every certificate (interop G.3). */
export function verifyStrictPath(input: PathInput): PathResult {
  const { leaf, anchors, intermediates, at } = input;
  const unfit = leafDefect(leaf, at);
  if (unfit) return { ok: false, defect: unfit };
  if (anchors.some(({ fingerprint }) => fingerprint === leaf.fingerprint)) {
    const why = 'it is its own trust anchor; a signing certificate needs a CA above it';
    return { ok: false, defect: pathDefect('chain-untrusted', leaf, 0, why) };
  }
  const { paths, hint } = searchPaths({
    leaf,
    anchors,
    intermediates,
    refuse: (issuer, _role, below) => issuerDefect(issuer, below, at),
  });
  if (paths.length === 0) return { ok: false, defect: untrusted(leaf, hint) };
  let first: EvidenceDefect | undefined;
  for (const chain of paths) {
    const defect = policyDefect(chain) ?? constraintsDefect(chain);
    if (!defect) return { ok: true, chain };
    first ??= defect;
  }
  return { ok: false, defect: first ?? untrusted(leaf, hint) };
}

function leafDefect(leaf: Certificate, at: Date): EvidenceDefect | undefined {
  const profile = (why: string) => pathDefect('certificate-profile', leaf, 0, why);
  if (leaf.basicConstraints?.ca) return profile('it is a CA certificate');
  if (leaf.keyUsage && !leaf.keyUsage.includes('digitalSignature'))
    return profile('its key usage lacks digitalSignature');
  // anyExtendedKeyUsage is not enough: the issuer has to mean code signing.
  if (!leaf.extendedKeyUsage?.includes(CODE_SIGNING)) return profile('its extended key usage lacks codeSigning');
  const names = leaf.subjectAlternativeNames;
  if (!names.some(({ type, value }) => (type === 'uri' || type === 'email') && value !== '')) {
    return profile('it names neither a URI nor an e-mail address');
  }
  if (names.some(({ type, value }) => type !== 'other' && /\p{Cc}/u.test(value))) {
    return profile('an alternative name holds a control character');
  }
  return soundDefect(leaf, 0) ?? validityDefect(leaf, 0, at);
}

function issuerDefect(issuer: Certificate, below: readonly Certificate[], at: Date): EvidenceDefect | undefined {
  const index = below.length;
  const child = below.at(-1);
  const refused = (why: string) => pathDefect('chain-untrusted', issuer, index, why);
  if (index >= MAX_PATH_LENGTH) return refused(`the path is longer than ${MAX_PATH_LENGTH} certificates`);
  if (!issuer.basicConstraints?.ca) return refused('it is no CA (basicConstraints)');
  if (issuer.keyUsage && !issuer.keyUsage.includes('keyCertSign')) return refused('its key usage lacks keyCertSign');
  const forged = child && signatureDefect(child, issuer);
  if (forged) return refused(forged);
  const { pathLength } = issuer.basicConstraints;
  // The leaf is no CA, and self-issued ones only roll a key over (RFC 5280, 4.2.1.9): neither is counted.
  const depth = below.slice(1).filter(({ selfIssued }) => !selfIssued).length;
  if (pathLength !== undefined && depth > pathLength) {
    return refused(`${depth} CA certificates stand below it and its path length allows ${pathLength}`);
  }
  const usages = issuer.extendedKeyUsage;
  if (usages && !usages.includes(CODE_SIGNING) && !usages.includes(ANY_EXTENDED_KEY_USAGE)) {
    return pathDefect('certificate-profile', issuer, index, 'its extended key usage does not allow code signing');
  }
  return soundDefect(issuer, index) ?? validityDefect(issuer, index, at);
}

/** What holds for every certificate of the path. */
function soundDefect(certificate: Certificate, index: number): EvidenceDefect | undefined {
  const profile = (why: string) => pathDefect('certificate-profile', certificate, index, why);
  if (/^(?:00)*$/.test(certificate.serialNumber)) return profile('its serial number is zero');
  const kind = keyKind(certificate.publicKey);
  const strong =
    kind.type === 'rsa'
      ? kind.bits >= 2048 && kind.exponent >= 3n && kind.exponent % 2n === 1n
      : kind.type === 'ed25519' || (kind.type === 'ecdsa' && CURVES.includes(kind.curve));
  if (!strong)
    return profile(`its key is ${describeKey(kind)}; wanted is RSA of 2048 bits or more, P-256 or better, or Ed25519`);
  return criticalDefect(certificate, index);
}
