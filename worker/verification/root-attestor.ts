import type { KeyObject } from 'node:crypto';
import type { CertificateAuthority } from '#crypto/certificate-authority.ts';
import type {
  CertificateAttestor,
  IdentityRule,
  KeyAttestor,
  ObserverDemand,
  WitnessDemand,
  WitnessTrust,
} from '#verification/attestor.ts';
import type { TrustedRoot } from '#verification/trusted-root.ts';

/** What is asked of evidence beside its signature. What is left out is asked for where the material can vouch for it. */
export interface WitnessDemands {
  readonly transparencyLog?: WitnessDemand;
  readonly certificateTimestamp?: 'required' | 'ignored';
  /** Timestamps of an authority. */
  readonly timestamps?: WitnessDemand;
}

/** The same of a `trusted_root.json`, whose chains end with what is trusted. */
export function rootAttestor(
  root: TrustedRoot,
  identity: IdentityRule | undefined,
  demands: WitnessDemands = {},
): CertificateAttestor {
  const certificateAuthorities = root.certificateAuthorities.map(selfSigned);
  return materialAttestor({ ...root, certificateAuthorities }, identity, demands);
}

/** The strict attestor of whoever the CAs of the material certified. */
export function materialAttestor(
  root: TrustedRoot,
  identity: IdentityRule | undefined,
  demands: WitnessDemands = {},
): CertificateAttestor {
  const witnesses = witnessTrust(root, demands);
  const asked = observers(witnesses, demands);
  return {
    kind: 'certificate-chain',
    profile: 'strict',
    authorities: root.certificateAuthorities,
    ...(identity ? { identity } : {}),
    certificateTimestamp: demands.certificateTimestamp ?? (root.certificateLogs.length > 0 ? 'required' : 'ignored'),
    ...(root.certificateLogs.length > 0 ? { certificateLogKeys: root.certificateLogs } : {}),
    ...witnesses,
    ...(asked ? { observers: asked } : {}),
  };
}

/** The strict attestor of one key, with the logs and authorities of a trusted root as its witnesses. */
export function witnessedKeyAttestor(key: KeyObject, root: TrustedRoot, demands: WitnessDemands = {}): KeyAttestor {
  const { timestamps } = demands;
  return {
    kind: 'public-key',
    key,
    profile: 'strict',
    ...witnessTrust(root, demands),
    ...(timestamps === 'required' ? { observers: { source: 'authority', least: 1 } } : {}),
  };
}

function witnessTrust(root: TrustedRoot, { transparencyLog, timestamps }: WitnessDemands): WitnessTrust {
  // Authorities that are not trusted are not asked: a timestamp of nobody's neither helps nor harms.
  const isStamped = timestamps !== 'ignored' && root.timestampAuthorities.length > 0;
  return {
    transparencyLog: transparencyLog ?? (root.logs.length > 0 ? 'required' : 'ignored'),
    ...(root.logs.length > 0 ? { logKeys: root.logs } : {}),
    ...(isStamped ? { timestampAuthorities: root.timestampAuthorities } : {}),
  };
}

/**
 * Who must tell the time of a certificate's signature: an authority where its timestamps are asked for, or where there
 * are no logs; else any witness where the log is required, for its certificate may have ended since.
 */
function observers(
  { transparencyLog, logKeys = [], timestampAuthorities = [] }: WitnessTrust,
  { timestamps }: WitnessDemands,
): ObserverDemand | undefined {
  const isOnlyAuthority = timestamps === undefined && logKeys.length === 0 && timestampAuthorities.length > 0;
  if (timestamps === 'required' || isOnlyAuthority) return { source: 'authority', least: 1 };
  return transparencyLog === 'required' ? { source: 'any', least: 1 } : undefined;
}

/** An intermediate in the place of a root is not trusted: whoever issued it might take it back. */
function selfSigned({ anchors, ...authority }: CertificateAuthority): CertificateAuthority {
  return { ...authority, anchors: anchors.filter(({ selfIssued }) => selfIssued) };
}
