import type { Certificate, GeneralName } from '#crypto/certificate.ts';
import { isDomain } from '#crypto/general-name.ts';
import { pathDefect } from '#crypto/path-rules.ts';
import { uriAuthority } from '#crypto/uri.ts';
import type { EvidenceDefect } from '#model/evidence.ts';

/** A name taken apart as far as constraints compare it. */
interface Candidate {
  readonly name: GeneralName;
  /** Domain in lower case; hex of an IP address. */
  readonly domain: string;
  /** Local part of an e-mail address. */
  readonly local?: string;
}

/**
 * Applies the nameConstraints of every CA to the alternative names of all certificates below it (RFC 5280, 6.1.3 b
 * and c), as Go does: names that cannot be compared are refused as soon as there is any constraint.
 */
export function constraintsDefect(chain: readonly Certificate[]): EvidenceDefect | undefined {
  for (const [above, ca] of chain.entries()) {
    if (!ca.nameConstraints) continue;
    const { permitted, excluded } = ca.nameConstraints;
    for (const [index, certificate] of chain.slice(0, above).entries()) {
      for (const name of certificate.subjectAlternativeNames) {
        if (name.type === 'other') continue;
        const why = nameDefect(name, permitted, excluded);
        if (why)
          return pathDefect('certificate-profile', certificate, index, `${name.type} name "${name.value}" ${why}`);
      }
    }
  }
  return undefined;
}

function nameDefect(
  name: GeneralName,
  permitted: readonly GeneralName[],
  excluded: readonly GeneralName[],
): string | undefined {
  const candidate = takeApart(name);
  if (!candidate) return 'cannot be compared with the name constraints of its CA';
  const allowed = permitted.filter(({ type }) => type === name.type);
  if (allowed.length > 0 && !allowed.some((constraint) => within(candidate, constraint))) {
    return 'is not permitted by the name constraints of its CA';
  }
  const banned = excluded.filter(({ type }) => type === name.type);
  const hit = banned.some((constraint) => within(candidate, constraint) || covers(candidate, constraint));
  return hit ? 'is excluded by the name constraints of its CA' : undefined;
}

function takeApart(name: GeneralName): Candidate | undefined {
  const at = name.value.lastIndexOf('@');
  switch (name.type) {
    case 'email':
      if (at < 1 || !isDomain(name.value.slice(at + 1)) || /^\.|\.\.|\.$/.test(name.value.slice(0, at)))
        return undefined;
      return { name, domain: name.value.slice(at + 1).toLowerCase(), local: name.value.slice(0, at) };
    case 'uri': {
      const host = uriAuthority(name.value).replace(/:\d*$/, '').toLowerCase();
      return host === '' || isAddress(host) ? undefined : { name, domain: host };
    }
    case 'dns':
      return isDomain(name.value) ? { name, domain: name.value.toLowerCase() } : undefined;
    case 'ip':
    case 'other':
      return { name, domain: name.value };
  }
}

function isAddress(host: string): boolean {
  return host.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

function within(candidate: Candidate, constraint: GeneralName): boolean {
  if (constraint.type === 'ip') return inRange(candidate.domain, constraint.value);
  const text = constraint.value;
  const at = text.lastIndexOf('@');
  if (constraint.type === 'email' && at >= 0) {
    return candidate.local === text.slice(0, at) && candidate.domain === text.slice(at + 1).toLowerCase();
  }
  const suffix = text.toLowerCase();
  if (suffix === '') return true;
  if (suffix.startsWith('.')) return candidate.domain.endsWith(suffix);
  return candidate.domain === suffix || candidate.domain.endsWith(`.${suffix}`);
}

/** A wildcard name is excluded when it could stand for an excluded name. */
function covers(candidate: Candidate, constraint: GeneralName): boolean {
  if (!candidate.domain.startsWith('*.') || constraint.type === 'ip') return false;
  const dot = constraint.value.indexOf('.');
  return dot >= 0 && constraint.value.slice(dot).toLowerCase() === candidate.domain.slice(1);
}

/** `address` in `network`, which is base then mask; all in hex. */
function inRange(address: string, network: string): boolean {
  if (network.length !== address.length * 2) return false;
  const bytes = Buffer.from(address, 'hex');
  const base = Buffer.from(network, 'hex');
  return bytes.every(
    (byte, at) => (byte & (base[bytes.length + at] ?? 0)) === ((base[at] ?? 0) & (base[bytes.length + at] ?? 0)),
  );
}
