import { toolPath } from '../../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../../support/cli.ts';
import { runCommand } from '../../../support/run-command.ts';
import { makeScratch } from '../../../support/scratch.ts';
import { type Cell, identityOf, type Judgement, readsBundle, type Trust } from '../cell.ts';

/** Proves that nothing is fetched: whatever is not on this machine runs into it. */
export const DEAD_PROXY = {
  HTTP_PROXY: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: '127.0.0.1,localhost',
} as const;

export async function askCosign(version: 2 | 3, cell: Cell, trust: Trust): Promise<Judgement> {
  await using home = await makeScratch();
  const verb = cell.asked === 'attestation' ? ['verify-attestation', '--type', 'cyclonedx'] : ['verify'];
  const told = readsBundle(cell) ? bundleFlags(version, cell, trust) : tagFlags(cell, trust);
  const env = { ...DEAD_PROXY, ...told.env, PATH: process.env.PATH, HOME: home.dir, TUF_ROOT: home.at('tuf') };
  const args = [...verb, ...told.flags, cell.reference];
  const { code, stderr } = await runCommand(toolPath(CLONE, `cosign${version}`), args, { cwd: home.dir, env });
  return { accepted: code === 0, said: stderr.trim() };
}

interface Told {
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

function bundleFlags(version: 2 | 3, cell: Cell, trust: Trust): Told {
  const { kind, testimonies } = cell;
  const root = kind === 'x509' ? trust.files.privateRoot : trust.stack.trust.trustedRoot;
  const logged = testimonies.some((testimony) => testimony !== 'timestamp');
  const flags = [
    ...(version === 2 ? ['--new-bundle-format'] : []),
    ...['--trusted-root', root, ...whom(cell, trust)],
    ...(logged ? [] : ['--insecure-ignore-tlog=true']),
    ...(kind === 'x509' ? ['--insecure-ignore-sct=true'] : []),
    ...(testimonies.includes('timestamp') ? ['--use-signed-timestamps'] : []),
  ];
  return { flags };
}

function tagFlags(cell: Cell, trust: Trust): Told {
  const { kind, testimonies } = cell;
  const { keys } = trust.stack;
  const flags = [
    ...whom(cell, trust),
    ...(kind === 'x509' ? ['--certificate-chain', trust.files.x509.chain] : []),
    ...(kind === 'keyless' ? ['--ca-roots', keys.fulcio.rootFile, '--ca-intermediates', keys.fulcio.first] : []),
    ...(testimonies.includes('rekor-v1') ? [] : ['--insecure-ignore-tlog=true']),
    ...(kind === 'x509' ? ['--insecure-ignore-sct=true'] : []),
    ...(testimonies.includes('timestamp') ? ['--timestamp-certificate-chain', keys.timestamps.chain] : []),
  ];
  const env = {
    SIGSTORE_REKOR_PUBLIC_KEY: keys.rekor1.publicKey,
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: keys.ctLog.publicKey,
  };
  return { flags, env };
}

function whom({ kind }: Cell, trust: Trust): readonly string[] {
  if (kind === 'key') return ['--key', trust.files.key.publicKey];
  const { subject, issuer } = identityOf(kind, trust);
  const from =
    issuer === undefined ? ['--certificate-oidc-issuer-regexp', '.*'] : ['--certificate-oidc-issuer', issuer];
  return ['--certificate-identity', subject, ...from];
}
