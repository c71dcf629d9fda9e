import { toolPath } from '../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../support/cli.ts';
import type { Scratch } from '../../support/scratch.ts';
import { ENDPOINTS, LOG_NAME, PORTS } from './endpoints.ts';
import { answers, type Server, startServer } from './server.ts';
import type { StackKeys } from './stack-keys.ts';

/** RFC 3161. It dies when port 2112 is taken, which Rekor v1 wants too, but can do without: start this one first. */
export function startTimestampServer({ timestamps }: StackKeys): Promise<Server> {
  return startServer({
    name: 'timestamp-server',
    command: toolPath(CLONE, 'timestamp-server'),
    args: [
      'serve',
      ...[`--host=${LOG_NAME}`, `--port=${PORTS.timestamps}`],
      // It would ask public time servers.
      '--disable-ntp-monitoring',
      ...['--timestamp-signer=file', `--file-signer-key-path=${timestamps.key}`, '--file-signer-passwd='],
      `--certificate-chain-path=${timestamps.chain}`,
    ],
    ready: () => answers(`${ENDPOINTS.timestamps}/ping`),
  });
}

/** Rekor v1; without Redis, whose index nobody here asks. */
export function startRekor1({ rekor1 }: StackKeys): Promise<Server> {
  const doors = ['getLogInfo', 'getPublicKey', 'getLogProof', 'createLogEntry', 'getLogEntryByIndex'];
  return startServer({
    name: 'rekor-server',
    command: toolPath(CLONE, 'rekor-server'),
    args: [
      'serve',
      ...[`--rekor_server.address=${LOG_NAME}`, `--port=${PORTS.rekor1}`, `--rekor_server.hostname=${LOG_NAME}`],
      `--rekor_server.signer=${rekor1.key}`,
      ...[`--trillian_log_server.address=${LOG_NAME}`, `--trillian_log_server.port=${PORTS.trillianLog}`],
      '--enable_retrieve_api=false',
      `--enabled_api_endpoints=${[...doors, 'getLogEntryByUUID', 'searchLogQuery'].join(',')}`,
    ],
    ready: () => answers(`${ENDPOINTS.rekor1}/ping`),
  });
}

/** Rekor v2: tiles in a folder. A checkpoint is published each half second, and every entry waits for the next. */
export function startRekor2(scratch: Scratch, { rekor2 }: StackKeys): Promise<Server> {
  return startServer({
    name: 'rekor-tiles',
    command: toolPath(CLONE, 'rekor-tiles'),
    args: [
      'serve',
      ...[`--http-address=${LOG_NAME}`, `--http-port=${PORTS.rekor2}`, `--hostname=${LOG_NAME}`],
      ...[`--grpc-address=${LOG_NAME}`, `--grpc-port=${PORTS.rekor2Grpc}`],
      ...[`--http-metrics-port=${PORTS.rekor2Metrics}`, `--storage-dir=${scratch.at('rekor2')}`],
      ...[`--signer-filepath=${rekor2.key}`, '--checkpoint-interval=500ms', '--batch-max-age=100ms'],
    ],
    ready: () => answers(`${ENDPOINTS.rekor2}/healthz`, 'SERVING'),
  });
}
