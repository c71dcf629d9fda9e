import type { KeyObject } from 'node:crypto';
import { readPublicKey } from '#crypto/keys.ts';
import { AppError } from '#model/errors.ts';
import type { Attestor, CertificateAttestor, KeyAttestor, ObserverDemand } from '#verification/attestor.ts';
import type { TrustedRoot } from '#verification/trusted-root.ts';

/** What a tool tells sigstore-go to ask of a bundle. */
export interface GoOptions {
  /** An entry of a transparency log must be there. */
  readonly log: boolean;
  /** Who must vouch for the time; absent: nobody, and now is the time. */
  readonly observers?: ObserverDemand;
  readonly certificateTimestamp: boolean;
  /** A chain beside the leaf is taken in version 0.3 too. */
  readonly certificateChain?: boolean;
}

/** Nothing is trusted beside what the attestor names itself. */
export const NO_ROOT: TrustedRoot = {
  certificateAuthorities: [],
  logs: [],
  certificateLogs: [],
  timestampAuthorities: [],
};

/** The attestor of any certificate under a trusted root, as sigstore-go judges it (interop specification A.3.5, B.10). */
export function goCertificate(root: TrustedRoot, options: GoOptions): CertificateAttestor {
  return {
    kind: 'certificate-chain',
    profile: 'compat',
    authorities: root.certificateAuthorities,
    certificateTimestamp: options.certificateTimestamp ? 'required' : 'ignored',
    certificateLogKeys: root.certificateLogs,
    ...(options.certificateChain ? { certificateChain: 'allowed' } : {}),
    ...goWitnesses(root, options),
  };
}

/** The attestor of one key, witnessed under a trusted root. */
export function goKey(
  key: KeyObject,
  hash: NonNullable<KeyAttestor['hash']>,
  root: TrustedRoot,
  options: GoOptions,
): KeyAttestor {
  return { kind: 'public-key', profile: 'compat', key, hash, ...goWitnesses(root, options) };
}

const PEM = /-----BEGIN[\s\S]*?-----END [A-Z ]+-----/;

/** The first key of a text, which is the only one that counts; undefined when it cannot be read. */
export function firstKey(text: string): KeyObject | undefined {
  try {
    return readPublicKey(PEM.exec(text)?.[0] ?? '');
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** The parts of an attestor that speak of witnesses. Timestamps count only where somebody must vouch for the time. */
export function goWitnesses(
  root: TrustedRoot,
  { log, observers }: GoOptions,
): Pick<Attestor, 'transparencyLog' | 'logKeys' | 'timestampAuthorities' | 'observers'> {
  const isStamped = observers !== undefined && observers.source !== 'log';
  return {
    transparencyLog: log ? 'required' : 'ignored',
    logKeys: root.logs,
    ...(isStamped ? { timestampAuthorities: root.timestampAuthorities } : {}),
    ...(observers ? { observers } : {}),
  };
}
