import type { SignedPiece } from '#engine/signed-piece.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import type { RawEvidence } from '#model/evidence.ts';
import type { KeylessSigner } from '#signing/signer.ts';
import type { Witness } from '#signing/witness.ts';
import type { Attestor, WitnessTrust } from '#verification/attestor.ts';

/** Whether a piece brings something of each kind that the signer's witnesses give for it; what, nobody has looked. */
export function bringsTestimonies(raw: RawEvidence, { testimonies }: SignedPiece, signer: KeylessSigner): boolean {
  const { log, timestamps } = testimonies;
  return askedWitnesses(raw, signer).every(({ type }) => (type === 'timestamp-authority' ? timestamps : log) > 0);
}

/**
 * The signer by its own CA, and all of its witnesses that can be checked, of which one at least must tell the time:
 * beside a signature that was copied anybody can write entries and timestamps.
 * @param fallback keys of witnesses that were configured without theirs
 */
export function testifiedAttestor(raw: RawEvidence, signer: KeylessSigner, fallback: WitnessTrust): Attestor {
  const asked = askedWitnesses(raw, signer);
  const logs = keysOf(
    asked.filter(({ type }) => type !== 'timestamp-authority'),
    ({ log }) => log,
    () => fallback.logKeys,
  );
  const authorities = keysOf(
    asked.filter(({ type }) => type === 'timestamp-authority'),
    ({ authority }) => authority,
    () => fallback.timestampAuthorities,
  );
  return {
    ...signerAttestor(signer),
    ...(logs.checked > 0
      ? { transparencyLog: 'required', logThreshold: logs.checked, logKeys: logs.keys }
      : { transparencyLog: 'ignored' }),
    ...(authorities.checked > 0 ? { timestampAuthorities: authorities.keys } : {}),
    observers: { source: 'any', least: 1 },
  };
}

function askedWitnesses({ kind, layout }: RawEvidence, { witnesses }: KeylessSigner): readonly Witness[] {
  const what = kind === 'image-signature' ? 'image-signature' : 'statement';
  return witnesses.filter((witness) => witness.serves({ what, layouts: new Set([layout]) }));
}

/** The keys of witnesses, and how many of them can be checked. The fallback is asked for only where one lacks its own. */
function keysOf<Key>(
  witnesses: readonly Witness[],
  keyOf: (witness: Witness) => Key | undefined,
  fallback: () => readonly Key[] | undefined,
): { readonly keys: readonly Key[]; readonly checked: number } {
  const own = witnesses.flatMap((witness) => keyOf(witness) ?? []);
  if (own.length === witnesses.length) return { keys: own, checked: own.length };
  const others = fallback() ?? [];
  return { keys: [...own, ...others], checked: others.length > 0 ? witnesses.length : own.length };
}
