import type { EvidenceLayout } from '#model/evidence.ts';
import type { SignerKind } from '#model/layout-choice.ts';
import type { Asked, Testimony } from '#model/reading-table.ts';
import { toolPath } from '../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../support/cli.ts';
import { runCommand } from '../../support/run-command.ts';
import type { Trust } from '../matrix/cell.ts';
import { DEAD_PROXY } from '../matrix/verifiers/cosign.ts';
import { ENDPOINTS } from '../stack/endpoints.ts';

/** One way in which cosign writes. */
export interface Writer {
  readonly cosign: 2 | 3;
  readonly layout: EvidenceLayout;
  readonly kind: SignerKind;
  readonly testimonies: readonly Testimony[];
}

export const WRITERS: readonly Writer[] = [
  { cosign: 2, layout: 'cosign-tag', kind: 'key', testimonies: [] },
  { cosign: 2, layout: 'cosign-tag', kind: 'key', testimonies: ['rekor-v1'] },
  { cosign: 2, layout: 'cosign-tag', kind: 'x509', testimonies: [] },
  { cosign: 2, layout: 'cosign-tag', kind: 'x509', testimonies: ['timestamp'] },
  { cosign: 2, layout: 'cosign-tag', kind: 'keyless', testimonies: ['rekor-v1'] },
  { cosign: 2, layout: 'cosign-tag', kind: 'keyless', testimonies: ['rekor-v1', 'timestamp'] },
  { cosign: 3, layout: 'cosign-tag', kind: 'key', testimonies: [] },
  { cosign: 3, layout: 'cosign-tag', kind: 'keyless', testimonies: ['rekor-v1'] },
  { cosign: 3, layout: 'bundle', kind: 'key', testimonies: [] },
  { cosign: 3, layout: 'bundle', kind: 'key', testimonies: ['rekor-v1', 'timestamp'] },
  { cosign: 3, layout: 'bundle', kind: 'keyless', testimonies: ['rekor-v1', 'timestamp'] },
  { cosign: 3, layout: 'bundle', kind: 'keyless', testimonies: ['rekor-v2', 'timestamp'] },
];

export function writerName({ cosign, layout, kind, testimonies }: Writer): string {
  return `cosign ${cosign} with ${[kind, ...testimonies].join(' + ')} as ${layout}`;
}

/** What cosign signs with beside the stack. */
export interface CosignBench extends Trust {
  /** The key pair of the tests, in cosign's own encrypted form. */
  readonly key: string;
  /** The key of the private CA's certificate, likewise. */
  readonly certified: string;
  /** A signing configuration that names no service at all. */
  readonly noServices: string;
}

const PASSWORD = { COSIGN_PASSWORD: 'of the tests' };

/** Has cosign attach an attestation, or sign the image. */
export async function cosignWrites(asked: Asked, reference: string, writer: Writer, bench: CosignBench): Promise<void> {
  const { scratch } = bench.stack;
  const what =
    asked === 'attestation' ? ['attest', '--type', 'cyclonedx', '--predicate', scratch.at('bom.json')] : ['sign'];
  const how = writer.layout === 'bundle' ? bundleFlags(writer, bench) : tagFlags(writer, bench);
  await cosign(writer.cosign, [...what, '--yes', ...who(writer, bench), ...how, reference], bench);
}

/** Runs cosign; it must end well. */
export async function cosign(version: 2 | 3, args: readonly string[], { stack }: Trust): Promise<void> {
  const env = {
    ...DEAD_PROXY,
    ...PASSWORD,
    PATH: process.env.PATH,
    HOME: stack.scratch.dir,
    SIGSTORE_ROOT_FILE: stack.keys.fulcio.chain,
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: stack.keys.ctLog.publicKey,
    SIGSTORE_REKOR_PUBLIC_KEY: stack.keys.rekor1.publicKey,
    SIGSTORE_TSA_CERTIFICATE_FILE: stack.keys.timestamps.chain,
  };
  const { code, stderr } = await runCommand(toolPath(CLONE, `cosign${version}`), args, { cwd: stack.scratch.dir, env });
  if (code !== 0) throw new Error(`cosign ${version} ${args.join(' ').slice(0, 200)}: ${stderr.slice(0, 2000)}`);
}

function who({ kind }: Writer, { key, certified, stack, files }: CosignBench): readonly string[] {
  switch (kind) {
    case 'key':
      return ['--key', key];
    case 'x509':
      return ['--key', certified, '--certificate', files.x509.certificate, '--certificate-chain', files.x509.chain];
    case 'keyless':
      return ['--identity-token', stack.issuer.token('email')];
  }
}

function tagFlags({ cosign: version, kind, testimonies }: Writer, { stack }: CosignBench): readonly string[] {
  return [
    ...(version === 3 ? ['--new-bundle-format=false', '--use-signing-config=false'] : []),
    ...(version === 3 && kind === 'keyless' ? ['--trusted-root', stack.trust.trustedRoot] : []),
    ...(kind === 'keyless' ? ['--fulcio-url', ENDPOINTS.fulcio] : []),
    ...(testimonies.includes('rekor-v1') ? ['--rekor-url', ENDPOINTS.rekor1] : ['--tlog-upload=false']),
    ...(testimonies.includes('timestamp')
      ? ['--timestamp-server-url', `${ENDPOINTS.timestamps}/api/v1/timestamp`]
      : []),
  ];
}

function bundleFlags({ testimonies }: Writer, { stack, noServices }: CosignBench): readonly string[] {
  const { signingConfig, trustedRoot } = stack.trust;
  const logged = testimonies.includes('rekor-v2') ? signingConfig.rekor2 : signingConfig.rekor1;
  const config = testimonies.length === 0 ? noServices : logged;
  return ['--signing-config', config, '--trusted-root', trustedRoot];
}
