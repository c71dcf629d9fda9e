import { bundleEntryTraps } from '#policy/lint/bundle-traps.ts';
import type { Path, Trap } from '#policy/lint/finding.ts';
import { keylessTraps } from '#policy/lint/identity-traps.ts';
import { listOf, member, textOf } from '#policy/lint/members.ts';
import { repositoryTraps } from '#policy/lint/reference-traps.ts';

/** Where attestors stand: Kyverno reads those of the rule and those of an attestation differently (interop B.3). */
export interface AttestorPlace {
  readonly level: 'rule' | 'attestation';
  readonly isBundle: boolean;
}

/** Sets may nest, and YAML may nest them deeply. */
const MAX_DEPTH = 20;

/** Traps of a list of attestor sets. */
export function attestorTraps(sets: unknown, path: Path, place: AttestorPlace, depth = 0): readonly Trap[] {
  if (depth > MAX_DEPTH) return [];
  return listOf(sets).flatMap((set, index) =>
    listOf(member(set, 'entries')).flatMap((entry, position) =>
      entryTraps(entry, [...path, index, 'entries', position], place, depth),
    ),
  );
}

function entryTraps(entry: unknown, path: Path, place: AttestorPlace, depth: number): readonly Trap[] {
  const nested = member(entry, 'attestor');
  if (nested && place.level === 'attestation') {
    return [{ code: 'nested-attestor-ignored', path: [...path, 'attestor'] }];
  }
  if (nested) return nestedTraps(nested, [...path, 'attestor'], place, depth);
  const keys = textOf(member(entry, 'keys', 'publicKeys'));
  const several = place.level === 'attestation' && keys.split('-----BEGIN ').length > 2;
  const second: readonly Trap[] = several
    ? [{ code: 'second-key-ignored', path: [...path, 'keys', 'publicKeys'] }]
    : [];
  if (place.isBundle) return [...second, ...bundleEntryTraps(entry, path)];
  const keyless = member(entry, 'keyless');
  const annotations = Object.keys(Object(member(entry, 'annotations') ?? {}));
  return [
    ...second,
    ...repositoryTraps(textOf(member(entry, 'repository')), [...path, 'repository']),
    ...(place.level === 'attestation' && annotations.length > 0
      ? [{ code: 'annotations-never-match', path: [...path, 'annotations'] } as const]
      : []),
    ...(keyless ? keylessTraps(keyless, [...path, 'keyless']) : []),
    ...certificateTraps(member(entry, 'certificates'), [...path, 'certificates']),
  ];
}

function nestedTraps(nested: unknown, path: Path, place: AttestorPlace, depth: number): readonly Trap[] {
  // A set by itself stands where others stand in a list.
  return attestorTraps([nested], [], place, depth + 1).map((trap) => ({
    ...trap,
    path: [...path, ...trap.path.slice(1)],
  }));
}

function certificateTraps(certificates: unknown, path: Path): readonly Trap[] {
  if (!textOf(member(certificates, 'certChain'))) return [];
  if (textOf(member(certificates, 'cert'))) return [{ code: 'cert-beside-chain', path: [...path, 'cert'] }];
  const isLogless = member(certificates, 'rekor', 'ignoreTlog') === true;
  const isUntimed = member(certificates, 'ctlog', 'ignoreSCT') === true;
  return [
    ...(isLogless || textOf(member(certificates, 'rekor', 'pubkey'))
      ? []
      : [{ code: 'chain-without-ignore-tlog', path } as const]),
    ...(isUntimed || textOf(member(certificates, 'ctlog', 'pubkey'))
      ? []
      : [{ code: 'chain-without-ignore-sct', path } as const]),
  ];
}
