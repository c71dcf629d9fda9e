import { runCli } from '../../../support/cli.ts';
import { type Cell, identityOf, type Judgement, type Trust } from '../cell.ts';

/** Our own strict reading, by the command that people run. */
export async function askAttestry(cell: Cell, trust: Trust): Promise<Judgement> {
  const { x509, key } = trust.files;
  const { subject } = identityOf(cell.kind, trust);
  const whom =
    cell.kind === 'key' ? ['--key', key.publicKey] : ['--ca-roots', x509.roots, '--certificate-identity', subject];
  const { code, stdout, stderr } = await runCli(['verify', cell.reference, '--type', 'cyclonedx', ...whom]);
  return { accepted: code === 0, said: `${stdout}${stderr}` };
}
