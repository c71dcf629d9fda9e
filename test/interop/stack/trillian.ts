import { toolPath } from '../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../support/cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { LOG_NAME, PORTS } from './endpoints.ts';
import type { Postgres } from './postgres.ts';
import { answers, type Server, startServer } from './server.ts';

/** The two processes of Trillian, which keeps the trees of Rekor v1 and of the CT log. */
export async function startTrillian({ uri }: Postgres): Promise<readonly Server[]> {
  const storage = ['--storage_system=postgresql', '--quota_system=noop', `--postgresql_uri=${uri}`, '--logtostderr'];
  const start = (name: 'trillian_log_server' | 'trillian_log_signer', rpc: number, http: number, more: string[]) =>
    startServer({
      name,
      command: toolPath(CLONE, name),
      args: [...storage, `--rpc_endpoint=${LOG_NAME}:${rpc}`, `--http_endpoint=${LOG_NAME}:${http}`, ...more],
      ready: () => answers(`http://${LOG_NAME}:${http}/healthz`),
    });
  return Promise.all([
    start('trillian_log_server', PORTS.trillianLog, PORTS.trillianLogHttp, []),
    start('trillian_log_signer', PORTS.trillianSigner, PORTS.trillianSignerHttp, [
      '--force_master',
      '--batch_size=100',
    ]),
  ]);
}

/** Makes a tree, and answers its id. */
export async function createTree(): Promise<string> {
  const { code, stdout, stderr } = await runCommand(toolPath(CLONE, 'createtree'), [
    `--admin_server=${LOG_NAME}:${PORTS.trillianLog}`,
  ]);
  if (code !== 0) throw new Error(`createtree: ${stderr}`);
  return stdout.trim();
}
