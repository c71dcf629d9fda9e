import { randomBytes } from 'node:crypto';
import type { CommandIo } from '#cli/command.ts';
import type { RevocationFetcher } from '#engine/revocation.ts';
import { AppError } from '#model/errors.ts';
import { isRegistryHost } from '#model/image-ref.ts';
import { HttpUrl } from '#model/settings.ts';
import type { Attestor } from '#verification/attestor.ts';

/** Flags that ask whether certificates were revoked. */
export const REVOCATION_FLAGS = {
  revocation: { type: 'string' },
  crl: { type: 'string', multiple: true },
  'crl-host': { type: 'string', multiple: true },
  ocsp: { type: 'boolean' },
  'ocsp-responder': { type: 'string' },
  'ocsp-without-nonce': { type: 'boolean' },
} as const;

export interface RevocationFlags {
  readonly revocation?: string | undefined;
  readonly crl?: readonly string[] | undefined;
  readonly 'crl-host'?: readonly string[] | undefined;
  readonly ocsp?: boolean | undefined;
  readonly 'ocsp-responder'?: string | undefined;
  readonly 'ocsp-without-nonce'?: boolean | undefined;
}

export const REVOCATION_FLAG_HELP = `
  --revocation leaf|chain     ask whether the CA has revoked the signing certificate, or any below the root
  --crl SOURCE                CRL in place of those that certificates name: file, env:NAME or URL; may be repeated
  --crl-host HOST             host of lists and responders that certificates name, which may be asked; may be repeated
  --ocsp                      ask the responder that each certificate names, in place of the lists that it names
  --ocsp-responder URL        ask this responder instead
  --ocsp-without-nonce        for responders that repeat no nonce: the times of their answers decide alone
`.slice(1, -1);

/** The first flag of them that is given. */
export function givenRevocationFlag(flags: RevocationFlags): string | undefined {
  const names = Object.keys(REVOCATION_FLAGS) as (keyof typeof REVOCATION_FLAGS)[];
  return names.find((name) => flags[name] !== undefined);
}

/**
 * The attestor that asks for revocation, and who fetches the lists for it; closed with the stack.
 * @throws AppError `usage`; `config-invalid` for a list that cannot be read.
 */
export async function askingRevocation(
  attestor: Attestor,
  flags: RevocationFlags,
  io: CommandIo,
  stack: AsyncDisposableStack,
): Promise<{ readonly attestor: Attestor; readonly revocation?: RevocationFetcher }> {
  const given = givenRevocationFlag(flags);
  if (given === undefined) return { attestor };
  if (attestor.kind === 'public-key') {
    throw new AppError('usage', `--${given} does not go with --key`, { mend: 'nobody revokes a plain key' });
  }
  const settings = {
    check: checkOf(flags.revocation),
    lists: (flags.crl ?? []).map(sourceOf),
    hosts: (flags['crl-host'] ?? []).map(hostOf),
    ocsp: ocspOf(flags),
    whenUnlisted: 'pass',
    timestamped: 'refuse',
  } as const;
  const [{ openRevocation }, { createOutbound }] = await Promise.all([
    import('#compose/revocation.ts'),
    import('#compose/outbound.ts'),
  ]);
  const outbound = stack.use(createOutbound(io));
  const opened = await openRevocation(settings, { ...io, outbound, randomBytes }, () => '--crl');
  return { attestor: { ...attestor, revocation: opened.rule }, revocation: opened };
}

function ocspOf(flags: RevocationFlags): { readonly responder?: string; readonly nonce: boolean } | undefined {
  const responder = flags['ocsp-responder'];
  const nonce = flags['ocsp-without-nonce'] !== true;
  if (responder === undefined) {
    if (flags.ocsp) return { nonce };
    if (nonce) return undefined;
    throw new AppError('usage', '--ocsp-without-nonce asks nobody', { mend: 'add --ocsp or --ocsp-responder' });
  }
  if (HttpUrl.safeParse(responder).success) return { responder, nonce };
  throw new AppError('usage', '--ocsp-responder is no http or https URL without credentials');
}

function checkOf(text = 'leaf'): 'leaf' | 'chain' {
  if (text === 'leaf' || text === 'chain') return text;
  throw new AppError('usage', `--revocation ${text} is neither leaf nor chain`);
}

function sourceOf(text: string): string {
  if (/^(?:file:|env:)/.test(text)) return text;
  if (!/^https?:/.test(text)) return `file:${text}`;
  if (HttpUrl.safeParse(text).success) return text;
  throw new AppError('usage', '--crl is no http or https URL without credentials');
}

function hostOf(text: string): string {
  if (isRegistryHost(text)) return text;
  throw new AppError('usage', `--crl-host ${text} is no host`, { mend: 'write host or host:port' });
}
