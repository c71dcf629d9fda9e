import { existsSync } from 'node:fs';
import { toolPath } from '../../scripts/setup/go-tools.mjs';
import { CLONE, type CliResult, startProgram } from './cli.ts';
import type { Scratch } from './scratch.ts';
import type { SigningFiles } from './signing-files.ts';

/** The real cosign 2: what the suite runner set up. */
export const COSIGN = toolPath(CLONE, 'cosign2');

/** cosign would ask the public log and its trust root otherwise; a private CA has neither. */
const OFFLINE = ['--insecure-ignore-tlog', '--insecure-ignore-sct'];

/** Runs cosign with a home of its own. */
export async function cosign(
  scratch: Scratch,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  if (!existsSync(COSIGN)) throw new Error(`there is no cosign at ${COSIGN}: npm run test:interop builds it`);
  const settings = { cwd: scratch.dir, env: { HOME: scratch.dir, COSIGN_PASSWORD: '', ...env } };
  await using running = startProgram(COSIGN, args, settings);
  return await running.ended;
}

export interface CosignTrust {
  /** Flags that say who is believed. */
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The roots and intermediates apart, as `--ca-roots` and `--ca-intermediates`. */
export function trustByRoots({ roots, intermediates }: SigningFiles, identity?: string): CosignTrust {
  return { flags: ['--ca-roots', roots, '--ca-intermediates', intermediates, ...identityFlags(identity)] };
}

/** One file that starts with the issuer of the leaf and ends with the root. */
export function trustByChain({ chain }: SigningFiles, identity?: string): CosignTrust {
  return { flags: ['--certificate-chain', chain, ...identityFlags(identity)] };
}

/** A certificate of a private CA names no OIDC issuer. */
function identityFlags(identity = 'https://attestry.test/builder'): readonly string[] {
  return ['--certificate-identity', identity, '--certificate-oidc-issuer-regexp', '.*'];
}

/** `cosign verify-attestation`: its exit code, and the statements that it printed. */
export async function cosignVerify(
  scratch: Scratch,
  reference: string,
  type: string,
  { flags, env }: CosignTrust,
): Promise<{ code: number | null; stderr: string; statements: readonly { predicateType: string }[] }> {
  const args = ['verify-attestation', reference, '--type', type, ...flags, ...OFFLINE];
  const { code, stdout, stderr } = await cosign(scratch, args, env);
  const statements = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(Buffer.from(JSON.parse(line).payload, 'base64').toString('utf8')));
  return { code, stderr, statements };
}
