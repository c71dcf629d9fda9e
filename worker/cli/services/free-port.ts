import { createServer } from 'node:net';

const LOOPBACKS = ['127.0.0.1', '::1'];

/** The preferred TCP port when nobody listens on it on this machine's loopback, else one that the system picks. */
export async function freePort(preferred: number): Promise<number> {
  const free = await Promise.all(LOOPBACKS.map((host) => canListen(host, preferred)));
  return free.includes(false) ? listenOnce('127.0.0.1', 0) : preferred;
}

async function canListen(host: string, port: number): Promise<boolean> {
  try {
    await listenOnce(host, port);
    return true;
  } catch (error) {
    // Only "in use" and "not allowed" speak against the port; a machine without IPv6 has nobody there.
    const code = (error as NodeJS.ErrnoException).code;
    return code !== 'EADDRINUSE' && code !== 'EACCES';
  }
}

function listenOnce(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : port));
    });
  });
}
