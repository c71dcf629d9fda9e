import { toolPath } from '../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../support/cli.ts';
import { runCommand } from '../../support/run-command.ts';
import type { Scratch } from '../../support/scratch.ts';
import { ENDPOINTS, LOG_NAME } from './endpoints.ts';
import type { StackKeys } from './stack-keys.ts';

/** What verifiers believe and signers use, as files. */
export interface TrustFiles {
  readonly trustedRoot: string;
  /** Signing configurations of cosign 3, by the log that each names. */
  readonly signingConfig: { readonly rekor1: string; readonly rekor2: string };
}

const START = '2020-01-01T00:00:00Z';
const STAMPS = `${ENDPOINTS.timestamps}/api/v1/timestamp`;

/** Has cosign write them: its own words for its own formats. */
export async function writeTrustFiles(scratch: Scratch, keys: StackKeys, issuer: string): Promise<TrustFiles> {
  const service = (url: string, version = 1) => `url=${url},api-version=${version},start-time=${START},operator=stack`;
  const config = (rekor: string, version: number) =>
    cosign(scratch, `signing-config-rekor${version}.json`, [
      ...['signing-config', 'create', `--fulcio=${service(ENDPOINTS.fulcio)}`, `--oidc-provider=${service(issuer)}`],
      ...[`--rekor=${service(rekor, version)}`, '--rekor-config=ANY'],
      ...[`--tsa=${service(STAMPS)}`, '--tsa-config=ANY'],
    ]);
  const [trustedRoot, rekor1, rekor2] = await Promise.all([
    writeTrustedRoot(scratch, keys, 'trusted_root.json', keys.fulcio.chain),
    config(ENDPOINTS.rekor1, 1),
    config(ENDPOINTS.rekor2, 2),
  ]);
  return { trustedRoot, signingConfig: { rekor1, rekor2 } };
}

/** A trusted root whose one certificate authority is this chain, beside the logs and timestamps of the stack. */
export function writeTrustedRoot(scratch: Scratch, keys: StackKeys, name: string, chain: string): Promise<string> {
  const log = (url: string, key: string, more = '') => `url=${url},public-key=${key},start-time=${START}${more}`;
  return cosign(scratch, name, [
    ...['trusted-root', 'create', `--fulcio=url=${ENDPOINTS.fulcio},certificate-chain=${chain}`],
    `--ctfe=${log(ENDPOINTS.ctLog, keys.ctLog.publicKey)}`,
    `--rekor=${log(ENDPOINTS.rekor1, keys.rekor1.publicKey)}`,
    `--rekor=${log(ENDPOINTS.rekor2, keys.rekor2.publicKey, `,origin=${LOG_NAME}`)}`,
    `--tsa=url=${STAMPS},certificate-chain=${keys.timestamps.chain}`,
  ]);
}

async function cosign(scratch: Scratch, name: string, args: readonly string[]): Promise<string> {
  const out = scratch.at(name);
  const env = { HOME: scratch.dir };
  const { code, stderr } = await runCommand(toolPath(CLONE, 'cosign3'), [...args, '--out', out], { env });
  if (code !== 0) throw new Error(`cosign ${args.slice(0, 2).join(' ')}: ${stderr}`);
  return out;
}
