import type { CommandIo } from '#cli/command.ts';
import { readText } from '#cli/read-text.ts';
import type { Attestor } from '#verification/attestor.ts';
import { chainAttestor, keyAttestor } from '#verification/attestor-from-pem.ts';

export interface TrustFlags {
  readonly key?: string | undefined;
  readonly 'ca-roots'?: string | undefined;
  readonly 'certificate-chain'?: string | undefined;
  readonly 'certificate-identity'?: string | undefined;
  readonly 'require-tlog'?: boolean | undefined;
}

/**
 * Who is believed, from the flags that cosign's users know. `--ca-roots` trusts every certificate of the file;
 * of `--certificate-chain` the self-signed ones are trusted and the others help to build the path.
 */
export async function readAttestor(io: CommandIo, flags: TrustFlags): Promise<Attestor> {
  const requireLog = flags['require-tlog'] === true;
  if (flags.key !== undefined) return keyAttestor(await readText(io, '--key', flags.key), requireLog);
  const identity = flags['certificate-identity'];
  const named = { ...(identity === undefined ? {} : { identity }), requireLog };
  const roots = flags['ca-roots'];
  if (roots !== undefined) return chainAttestor({ roots: await readText(io, '--ca-roots', roots), ...named });
  const chain = await readText(io, '--certificate-chain', flags['certificate-chain'] ?? '');
  return chainAttestor({ chain, ...named });
}
