import { parseArgs } from 'node:util';
import { readPublicKey } from '#crypto/keys.ts';
import type { Evidence, RawEvidence } from '#model/evidence.ts';
import { parseBundle } from '#verification/bundle.ts';
import { type GoOptions, goCertificate, goWitnesses, NO_ROOT } from '#verification/sigstore-go.ts';
import { parseTrustedRoot, type TrustedRoot } from '#verification/trusted-root.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { type BundleCase, type BundleCheck, bundlesOf, corpusKey } from './bundle-corpus.ts';
import { RECORDED_NOW } from './recorded-verdicts.ts';
import { hasIdentity, isRekorV2Alone } from './sigstore-go.ts';

const OPTIONS = {
  type: { type: 'string' },
  key: { type: 'string' },
  'trusted-root': { type: 'string' },
  'certificate-identity': { type: 'string' },
  'certificate-identity-regexp': { type: 'string' },
  'certificate-oidc-issuer': { type: 'string' },
  'certificate-oidc-issuer-regexp': { type: 'string' },
  'insecure-ignore-tlog': { type: 'boolean' },
  'insecure-ignore-sct': { type: 'boolean' },
  'use-signed-timestamps': { type: 'boolean' },
  'signature-digest-algorithm': { type: 'string' },
  'allow-certificate-chain': { type: 'boolean' },
  'new-bundle-format': { type: 'boolean' },
} as const;

/** cosign's names for types (interop specification D.1). */
const TYPES: Readonly<Record<string, string>> = {
  custom: 'https://cosign.sigstore.dev/attestation/v1',
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  link: 'https://in-toto.io/Link/v1',
  spdx: 'https://spdx.dev/Document',
  spdxjson: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
  openvex: 'https://openvex.dev/ns',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
};

type Flags = ReturnType<typeof readFlags>;

/** The flags of a recorded command line. @throws for those that are not judged. */
export function readFlags(args: readonly string[]) {
  // Go writes --flag=true.
  const plain = args.slice(1).flatMap((arg) => (arg.endsWith('=true') ? [arg.slice(0, -5)] : [arg]));
  return parseArgs({ args: plain, options: OPTIONS, strict: true }).values;
}

/** cosign's verdict on the bundles of an image (interop specification A.3.5); undefined where it does not read them. */
export function cosignOnBundles(recorded: BundleCase, check: BundleCheck): 'pass' | 'fail' | undefined {
  const [command = '', ...more] = check.args ?? [];
  if (command !== 'verify-attestation' || more.includes('--new-bundle-format=false')) return undefined;
  const flags = supported(check.args ?? []);
  if (!flags) return undefined;
  const isOld = check.tool === 'cosign 2.6.5';
  const isNamed = hasEither(flags, 'certificate-identity') && hasEither(flags, 'certificate-oidc-issuer');
  if (flags.key === undefined && !isNamed) return 'fail';

  // Older versions are no bundles to it, and what is none is passed over.
  const chain = flags['allow-certificate-chain'] === true;
  const bundles = bundlesOf(recorded).filter((raw) => {
    const parsed = raw.bytes ? parseBundle(raw.bytes, 'compat', chain) : undefined;
    return parsed?.ok && parsed.bundle.version === '0.3';
  });
  if (bundles.length === 0) return recorded.att ? undefined : 'fail';
  // 2.6.5 wants a trusted root for bundles, whatever is ignored, and does not ask for timestamps by itself.
  if (isOld && (flags['trusted-root'] === undefined || isStrayVersion2(recorded, flags))) return 'fail';
  const held = bundles.filter((raw) => holds(raw, recorded, flags));
  const wanted = TYPES[flags.type ?? 'custom'] ?? flags.type;
  const isOfType = (raw: RawEvidence) => judge(raw, recorded, flags).statement?.predicateType === wanted;
  return held.some(isOfType) ? 'pass' : 'fail';
}

function hasEither(flags: Flags, name: 'certificate-identity' | 'certificate-oidc-issuer'): boolean {
  return (flags[name] ?? flags[`${name}-regexp`]) !== undefined;
}

function isStrayVersion2(recorded: BundleCase, flags: Flags): boolean {
  const isAsked = flags['use-signed-timestamps'] === true || flags['insecure-ignore-tlog'] === true;
  return flags.key === undefined && !isAsked && bundlesOf(recorded).every(isRekorV2Alone);
}

function supported(args: readonly string[]): Flags | undefined {
  try {
    return readFlags(args);
  } catch {
    return undefined;
  }
}

function holds(raw: RawEvidence, recorded: BundleCase, flags: Flags): boolean {
  const evidence = judge(raw, recorded, flags);
  if (evidence.held !== true || !namesExactly(evidence, recorded)) return false;
  if (flags.key !== undefined) return true;
  return hasIdentity(evidence, {
    subject: flags['certificate-identity'],
    subjectRegExp: flags['certificate-identity-regexp'],
    issuer: flags['certificate-oidc-issuer'],
    issuerRegExp: flags['certificate-oidc-issuer-regexp'],
  });
}

/** cosign compares the hex once more as it stands. */
function namesExactly({ statement }: Evidence, { digest }: BundleCase): boolean {
  return statement?.subject.some((subject) => subject.digest.sha256 === digest.slice(7)) === true;
}

function judge(raw: RawEvidence, { digest }: BundleCase, flags: Flags): Evidence {
  const root =
    flags['trusted-root'] === undefined ? NO_ROOT : parseTrustedRoot(Buffer.from(corpusKey(flags['trusted-root'])));
  return verifyEvidence(raw, { digest, attestor: attestorOf(raw, root, flags), now: RECORDED_NOW });
}

function attestorOf(raw: RawEvidence, root: TrustedRoot, flags: Flags) {
  const log = flags['insecure-ignore-tlog'] !== true;
  const isKey = flags.key !== undefined;
  const isStamped = flags['use-signed-timestamps'] === true || (log && !isKey && isRekorV2Alone(raw));
  const source = isStamped ? 'authority' : log && !isKey ? 'log' : undefined;
  const options: GoOptions = {
    log,
    certificateTimestamp: flags['insecure-ignore-sct'] !== true && !isKey,
    certificateChain: flags['allow-certificate-chain'] === true,
    ...(source ? { observers: { source, least: 1 } } : {}),
  };
  if (flags.key === undefined) return goCertificate(root, options);
  const hash = (flags['signature-digest-algorithm'] ?? 'sha256') as 'sha256' | 'sha384' | 'sha512';
  const key = readPublicKey(corpusKey(flags.key));
  return { kind: 'public-key', profile: 'compat', key, hash, ...goWitnesses(root, options) } as const;
}
