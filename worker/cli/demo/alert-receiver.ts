import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One alert as Alertmanager's API v2 takes it. */
export interface ReceivedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt?: string;
  readonly endsAt?: string;
}

export interface AlertReceiver extends AsyncDisposable {
  readonly url: string;
}

/** More than any batch of alerts that one installation sends. */
const MAX_BODY_BYTES = 1024 * 1024;

/** A receiver that speaks enough of Alertmanager's API v2 to show on a terminal what would page somebody. */
export async function startAlertReceiver(onAlert: (alert: ReceivedAlert) => void): Promise<AlertReceiver> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request) {
      size += (chunk as Buffer).length;
      if (size > MAX_BODY_BYTES) return void response.writeHead(413).end();
      chunks.push(chunk as Buffer);
    }
    if (request.method !== 'POST' || request.url !== '/api/v2/alerts') return void response.writeHead(404).end();
    for (const alert of parseAlerts(Buffer.concat(chunks))) onAlert(alert);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function parseAlerts(body: Buffer): readonly ReceivedAlert[] {
  const parsed: unknown = JSON.parse(body.toString('utf8'));
  return Array.isArray(parsed) ? (parsed as ReceivedAlert[]) : [];
}
