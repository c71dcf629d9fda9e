import { randomBytes } from 'node:crypto';
import type { CommandIo } from '#cli/command.ts';
import { readText } from '#cli/read-text.ts';
import { AppError } from '#model/errors.ts';
import type { TrustAnchors, TrustOptions } from '#trust/options.ts';
import type { Attestor } from '#verification/attestor.ts';

/** Flags that say who is believed; named as cosign's users know them, where cosign has them. */
export const TRUST_FLAGS = {
  key: { type: 'string' },
  'ca-roots': { type: 'string' },
  'certificate-chain': { type: 'string' },
  'trusted-root': { type: 'string' },
  'public-good': { type: 'boolean' },
  'tuf-mirror': { type: 'string' },
  'tuf-root': { type: 'string' },
  'certificate-identity': { type: 'string' },
  'certificate-identity-regexp': { type: 'string' },
  'certificate-oidc-issuer': { type: 'string' },
  'certificate-oidc-issuer-regexp': { type: 'string' },
  'rekor-key': { type: 'string', multiple: true },
  'ctlog-key': { type: 'string', multiple: true },
  'timestamp-certificate-chain': { type: 'string', multiple: true },
  'require-tlog': { type: 'boolean' },
  'insecure-ignore-tlog': { type: 'boolean' },
  'insecure-ignore-sct': { type: 'boolean' },
  'use-signed-timestamps': { type: 'boolean' },
} as const;

type FlagName = keyof typeof TRUST_FLAGS;
type FlagValue<Flag> = Flag extends { multiple: true } ? string[] : Flag extends { type: 'boolean' } ? boolean : string;
export type TrustFlags = { readonly [Name in FlagName]?: FlagValue<(typeof TRUST_FLAGS)[Name]> | undefined };

export const TRUST_FLAG_HELP = `
  --key FILE                  public key (PEM)
  --ca-roots FILE             trusted roots (PEM)
  --certificate-chain FILE    intermediates and root (PEM); the root is trusted
  --trusted-root FILE         trusted_root.json: CAs, logs, timestamp authorities
  --public-good               Sigstore's public instance, by its TUF repository
  --tuf-mirror URL            another TUF repository, verified from --tuf-root FILE (root.json)

  --certificate-identity ID   exact URI or e-mail that the certificate must name
  --certificate-oidc-issuer URL
                              exact issuer of the identity
  --certificate-identity-regexp RE, --certificate-oidc-issuer-regexp RE
                              the same as regular expressions (RE2) that the whole text must match
  --rekor-key FILE            public key of a transparency log (PEM); may be repeated
  --ctlog-key FILE            public key of a certificate log (PEM); may be repeated
  --timestamp-certificate-chain FILE
                              certificates of a timestamp authority (PEM); may be repeated
  --require-tlog              a transparency log entry must be there
  --insecure-ignore-tlog      log entries are not looked at
  --insecure-ignore-sct       certificate timestamps (SCT) are not looked at
  --use-signed-timestamps     a timestamp of an authority must be there
`.slice(1, -1);

const ANCHORS = ['key', 'ca-roots', 'certificate-chain', 'trusted-root', 'public-good', 'tuf-mirror'] as const;
const FOR_CERTIFICATES = [
  'certificate-identity',
  'certificate-identity-regexp',
  'certificate-oidc-issuer',
  'certificate-oidc-issuer-regexp',
  'ctlog-key',
  'insecure-ignore-sct',
] as const;
const MATERIAL = ['rekor-key', 'ctlog-key', 'timestamp-certificate-chain'] as const;

/** The first flag of them that is given. */
export function givenTrustFlag(flags: TrustFlags): FlagName | undefined {
  return (Object.keys(TRUST_FLAGS) as FlagName[]).find((name) => flags[name] !== undefined);
}

/** @throws AppError `usage` for flags that contradict each other, or say nobody. */
export function checkTrustFlags(flags: TrustFlags): void {
  const anchors = ANCHORS.filter((name) => flags[name] !== undefined);
  const [anchor] = anchors;
  if (anchor === undefined || anchors.length > 1) {
    const names = ANCHORS.map((name) => `--${name}`).join(', ');
    throw new AppError('usage', `exactly one of ${names} says who is believed`);
  }
  const stray = (names: readonly FlagName[]) => names.find((name) => flags[name] !== undefined);
  const ofCertificate = anchor === 'key' ? stray(FOR_CERTIFICATES) : undefined;
  if (ofCertificate) {
    throw new AppError('usage', `--${ofCertificate} does not go with --key`, { mend: 'a key has no identity' });
  }
  const isRoot = anchor === 'trusted-root' || anchor === 'public-good' || anchor === 'tuf-mirror';
  const twice = isRoot ? stray(MATERIAL) : undefined;
  if (twice)
    throw new AppError('usage', `--${twice} does not go with --${anchor}`, { mend: 'the trusted root holds it' });
  if ((flags['tuf-root'] === undefined) !== (flags['tuf-mirror'] === undefined)) {
    throw new AppError('usage', '--tuf-mirror and --tuf-root go together');
  }
  for (const name of ['certificate-identity', 'certificate-oidc-issuer'] as const) {
    if (flags[name] === undefined || flags[`${name}-regexp`] === undefined) continue;
    throw new AppError('usage', `--${name} does not go with --${name}-regexp`, { mend: 'keep one of them' });
  }
  if (flags['require-tlog'] && flags['insecure-ignore-tlog']) {
    throw new AppError('usage', '--require-tlog does not go with --insecure-ignore-tlog');
  }
  if (anchor === 'public-good') refuseAnybody(flags);
}

function refuseAnybody(flags: TrustFlags): void {
  for (const name of ['certificate-identity', 'certificate-oidc-issuer'] as const) {
    if (flags[name] !== undefined || flags[`${name}-regexp`] !== undefined) continue;
    throw new AppError('usage', `--public-good wants --${name}`, { mend: 'the public instance certifies anybody' });
  }
}

/**
 * Who is believed. Of `--certificate-chain` the self-signed certificates are trusted and the others help to build the
 * path; of `--ca-roots` all are. Material behind a TUF repository is fetched now, or taken from the user's cache.
 */
export async function readAttestor(io: CommandIo, flags: TrustFlags): Promise<Attestor> {
  const option = optionsOf(flags);
  const [{ loadTrusts }, { createTrustSources }, { createOutbound }] = await Promise.all([
    import('#compose/trusts.ts'),
    import('#compose/trust-sources.ts'),
    import('#compose/outbound.ts'),
  ]);
  const readFile = async (path: string) => Buffer.from(await readText(io, flagOf(flags, path), path));
  await using outbound = createOutbound(io);
  await using sources = await createTrustSources([option], { ...io, readFile, outbound, randomBytes });
  await sources.open(io.signal);
  const trusts = await loadTrusts([option], readFile, { sources: sources.byTrust });
  const attestor = trusts.get(option.id);
  if (!attestor) throw new AppError('internal', 'the trust of the flags was not loaded');
  return attestor;
}

function optionsOf(flags: TrustFlags): TrustOptions {
  const identity = {
    ...named('subject', flags['certificate-identity']),
    ...named('subjectRegExp', flags['certificate-identity-regexp']),
    ...named('issuer', flags['certificate-oidc-issuer']),
    ...named('issuerRegExp', flags['certificate-oidc-issuer-regexp']),
  };
  return {
    id: 'command-line',
    anchors: anchorsOf(flags),
    ...(Object.keys(identity).length > 0 ? { identity } : {}),
    logs: (flags['rekor-key'] ?? []).map((key) => ({ key })),
    certificateLogs: flags['ctlog-key'] ?? [],
    timestampAuthorities: flags['timestamp-certificate-chain'] ?? [],
    ...(flags['require-tlog'] ? { transparencyLog: 'required' } : {}),
    ...(flags['insecure-ignore-tlog'] ? { transparencyLog: 'ignored' } : {}),
    ...(flags['insecure-ignore-sct'] ? { certificateTimestamp: 'ignored' } : {}),
    ...(flags['use-signed-timestamps'] ? { timestamps: 'required' } : {}),
  };
}

const TUF_TIMEOUT_MS = 30_000;

function anchorsOf(flags: TrustFlags): TrustAnchors {
  if (flags['public-good']) return { kind: 'sigstore' };
  const [mirror, root] = [flags['tuf-mirror'], flags['tuf-root']];
  if (mirror !== undefined && root !== undefined) {
    if (!URL.canParse(mirror)) throw new AppError('usage', '--tuf-mirror is no URL');
    return { kind: 'tuf', tuf: { mirror, root, target: 'trusted_root.json', timeout: TUF_TIMEOUT_MS } };
  }
  if (flags['trusted-root'] !== undefined) return { kind: 'trustedRoot', file: flags['trusted-root'] };
  if (flags['ca-roots'] !== undefined) return { kind: 'caRoots', file: flags['ca-roots'] };
  if (flags['certificate-chain'] !== undefined) return { kind: 'certificateChain', file: flags['certificate-chain'] };
  return { kind: 'key', file: flags.key ?? '' };
}

/** The flag that names a file, for messages. */
function flagOf(flags: TrustFlags, path: string): string {
  const entry = Object.entries(flags).find(([, value]) => (Array.isArray(value) ? value : [value]).includes(path));
  return `--${entry?.[0] ?? 'key'}`;
}

function named<Name extends string>(name: Name, value: string | undefined): { readonly [Key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]?: string });
}
