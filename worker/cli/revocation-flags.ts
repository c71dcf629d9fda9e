import type { CommandIo } from '#cli/command.ts';
import type { RevocationFetcher } from '#engine/revocation.ts';
import { AppError } from '#model/errors.ts';
import { isRegistryHost } from '#model/image-ref.ts';
import type { Attestor } from '#verification/attestor.ts';

/** Flags that ask whether certificates were revoked. */
export const REVOCATION_FLAGS = {
  revocation: { type: 'string' },
  crl: { type: 'string', multiple: true },
  'crl-host': { type: 'string', multiple: true },
} as const;

export interface RevocationFlags {
  readonly revocation?: string | undefined;
  readonly crl?: readonly string[] | undefined;
  readonly 'crl-host'?: readonly string[] | undefined;
}

export const REVOCATION_FLAG_HELP = `
  --revocation leaf|chain     ask whether the CA has revoked the signing certificate, or any below the root
  --crl SOURCE                CRL in place of those that certificates name: file, env:NAME or URL; may be repeated
  --crl-host HOST             host from which the lists that certificates name may be fetched; may be repeated
`.slice(1, -1);

/** The first flag of them that is given. */
export function givenRevocationFlag(flags: RevocationFlags): string | undefined {
  return (['revocation', 'crl', 'crl-host'] as const).find((name) => flags[name] !== undefined);
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
    whenUnlisted: 'pass',
    timestamped: 'refuse',
  } as const;
  const [{ openLists }, { createOutbound }, { createRevocationRule }] = await Promise.all([
    import('#compose/revocation.ts'),
    import('#compose/outbound.ts'),
    import('#trust/revocation-rule.ts'),
  ]);
  const outbound = stack.use(createOutbound(io));
  const lists = await openLists(settings, { ...io, outbound }, () => '--crl');
  return { attestor: { ...attestor, revocation: createRevocationRule(settings, lists) }, revocation: lists };
}

function checkOf(text = 'leaf'): 'leaf' | 'chain' {
  if (text === 'leaf' || text === 'chain') return text;
  throw new AppError('usage', `--revocation ${text} is neither leaf nor chain`);
}

function sourceOf(text: string): string {
  if (/^(?:file:|env:)/.test(text)) return text;
  if (!/^https?:/.test(text)) return `file:${text}`;
  if (URL.canParse(text)) return text;
  throw new AppError('usage', '--crl is no URL');
}

function hostOf(text: string): string {
  if (isRegistryHost(text)) return text;
  throw new AppError('usage', `--crl-host ${text} is no host`, { mend: 'write host or host:port' });
}
