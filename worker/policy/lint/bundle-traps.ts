import type { Path, Trap } from '#policy/lint/finding.ts';
import { expressionTraps } from '#policy/lint/identity-traps.ts';
import { member, textOf } from '#policy/lint/members.ts';

/** What Kyverno passes over in an attestor of the type SigstoreBundle (interop B.10). */
const IGNORED = [
  ['keyless', 'roots'],
  ['keyless', 'additionalExtensions'],
  ['keyless', 'rekor', 'pubkey'],
  ['keyless', 'ctlog', 'pubkey'],
  ['keyless', 'ctlog', 'tsaCertChain'],
  ['keys', 'rekor', 'pubkey'],
  ['keys', 'ctlog', 'pubkey'],
  ['keys', 'ctlog', 'tsaCertChain'],
  ['annotations'],
  ['repository'],
] as const;

/** Traps of one attestor of the type SigstoreBundle. */
export function bundleEntryTraps(entry: unknown, path: Path): readonly Trap[] {
  const keyless = member(entry, 'keyless');
  const signer = keyless ?? member(entry, 'keys');
  const at = [...path, keyless ? 'keyless' : 'keys'];
  if (signer === undefined) return impossible(path, 'neither keys nor keyless');
  const ignored = IGNORED.filter((names) => isGiven(member(entry, ...names)));
  return [
    ...ignored.map((names) => ({ code: 'field-ignored', path: [...path, ...names], found: names.join('.') }) as const),
    ...timeTraps(signer, at),
    ...(keyless ? identityTraps(keyless, at) : []),
  ];
}

function timeTraps(signer: unknown, path: Path): readonly Trap[] {
  const isLogged = member(signer, 'rekor', 'ignoreTlog') !== true;
  if (!isLogged || member(signer, 'ctlog', 'ignoreSCT') !== true) return [];
  return impossible([...path, 'ctlog', 'ignoreSCT'], 'ctlog.ignoreSCT while a log entry is wanted');
}

function identityTraps(keyless: unknown, path: Path): readonly Trap[] {
  const lacks = (name: 'subject' | 'issuer') =>
    textOf(member(keyless, name)) === '' && textOf(member(keyless, `${name}RegExp`)) === '';
  const wild = (['subject', 'issuer'] as const).filter((name) => /[*?]/.test(textOf(member(keyless, name))));
  return [
    ...(['subject', 'issuer'] as const).filter(lacks).flatMap((name) => impossible(path, `keyless without ${name}`)),
    ...wild.map((name) => {
      return { code: 'bundle-wildcard', path: [...path, name], found: textOf(member(keyless, name)) } as const;
    }),
    ...expressionTraps(keyless, path),
  ];
}

function impossible(path: Path, found: string): readonly Trap[] {
  return [{ code: 'bundle-attestor-impossible', path, found }];
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
