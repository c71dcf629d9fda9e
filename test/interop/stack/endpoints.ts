/**
 * Where the servers of the stack listen. Each test file has a network of its own, so fixed ports do not collide; and the
 * name of a log is the host of its URL without the port, or cosign 3 finds no key for its checkpoints.
 */
export const LOG_NAME = '127.0.0.1';

export const PORTS = {
  issuer: 7001,
  fulcio: 5555,
  fulcioGrpc: 5554,
  fulcioMetrics: 2113,
  ctLog: 6962,
  timestamps: 3004,
  rekor1: 3000,
  rekor2: 3003,
  rekor2Grpc: 3001,
  rekor2Metrics: 2114,
  trillianLog: 8090,
  trillianLogHttp: 8091,
  trillianSigner: 8092,
  trillianSignerHttp: 8093,
  tuf: 8088,
} as const;

const at = (port: number, path = '') => `http://${LOG_NAME}:${port}${path}`;

export const ENDPOINTS = {
  issuer: at(PORTS.issuer),
  fulcio: at(PORTS.fulcio),
  ctLog: at(PORTS.ctLog, '/ct'),
  timestamps: at(PORTS.timestamps),
  rekor1: at(PORTS.rekor1),
  rekor2: at(PORTS.rekor2),
  tuf: at(PORTS.tuf),
} as const;
