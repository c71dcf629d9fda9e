import type { LoadedWitness } from '#compose/witnesses.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import { AppError } from '#model/errors.ts';
import type { KeylessSignerOptions } from '#signing/options.ts';
import type { FixedSigner } from '#signing/signer.ts';
import { type Attestor, type CertificateAttestor, exactly } from '#verification/attestor.ts';
import { liveAttestor } from '#verification/live-attestor.ts';

/**
 * Who is believed of what a keyless signer signs: its identity, under the configured trust, when a witness tells that it
 * was signed while its certificate was valid. A trust that is a CA alone takes the keys of the signer's own witnesses.
 * @throws AppError `config-invalid` without a CA, or without anybody whose time could be checked.
 */
export function keylessAttestor(
  option: KeylessSignerOptions,
  base: Attestor | undefined,
  witnesses: readonly LoadedWitness[],
): CertificateAttestor {
  const { id, trust } = option;
  if (base?.kind !== 'certificate-chain') {
    throw new AppError('config-invalid', `signer ${id}: the trust ${trust} holds no CA`, {
      field: `signers.${id}.trust`,
      mend: 'name a trust with the root certificate of this Fulcio',
    });
  }
  refuseUnchecked(option, base, witnesses);
  const source = `keyless:${id}`;
  return liveAttestor({ kind: 'certificate-chain', source, current: () => attestorNow(option, base, witnesses) });
}

/**
 * Who is believed of what a signer with a certificate signs: its own root, and the witnesses that it names, so that what
 * was stamped while the certificate was valid holds when it has ended. Undefined where no witness could be checked.
 */
export function certificateAttestor(
  signer: FixedSigner,
  witnesses: readonly LoadedWitness[],
): CertificateAttestor | undefined {
  const isChecked = witnesses.some(({ log, authority }) => log ?? authority);
  if (signer.chain.length === 0 || !isChecked) return undefined;
  return liveAttestor({
    kind: 'certificate-chain',
    source: `signer:${signer.id}`,
    // Its certificate may be renewed meanwhile.
    current: () => {
      const own = signerAttestor(signer);
      if (own.kind !== 'certificate-chain') throw new AppError('internal', 'a signer lost its certificate');
      return { ...own, ...witnessTrust(own, witnesses) };
    },
  });
}

/** Evidence of which nobody can tell the time would never hold, once its certificate has ended. */
function refuseUnchecked(
  { id }: KeylessSignerOptions,
  base: CertificateAttestor,
  witnesses: readonly LoadedWitness[],
): void {
  if (!isThere(base) || base.logKeys || base.timestampAuthorities) return;
  if (witnesses.some(({ witness, log, authority }) => authority ?? (log && witness.type === 'rekor-v1'))) return;
  throw new AppError('config-invalid', `signer ${id}: the time that its witnesses tell could not be checked`, {
    field: `signers.${id}.witnesses`,
    mend: 'give the key of the log or the chain of the timestamp authority, or name a trust that holds them',
  });
}

/** What a trust that is fetched holds may not be known yet. */
function isThere(base: CertificateAttestor): boolean {
  try {
    return base.authorities !== undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === 'trust-unavailable') return false;
    throw error;
  }
}

function attestorNow(
  { identity }: KeylessSignerOptions,
  base: CertificateAttestor,
  witnesses: readonly LoadedWitness[],
): CertificateAttestor {
  const isCaAlone = base.logKeys === undefined && base.timestampAuthorities === undefined;
  return {
    ...base,
    ...(isCaAlone ? witnessTrust(base, witnesses) : {}),
    identity: { subject: exactly(identity.subject), issuer: exactly(identity.issuer) },
    observers: base.observers ?? { source: 'any', least: 1 },
  };
}

function witnessTrust({ transparencyLog }: CertificateAttestor, witnesses: readonly LoadedWitness[]) {
  const logKeys = witnesses.flatMap(({ log }) => log ?? []);
  const timestampAuthorities = witnesses.flatMap(({ authority }) => authority ?? []);
  const isAsked = transparencyLog === 'ignored' && logKeys.length > 0;
  return { transparencyLog: isAsked ? ('optional' as const) : transparencyLog, logKeys, timestampAuthorities };
}
