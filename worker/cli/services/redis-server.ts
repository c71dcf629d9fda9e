import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ServerKind } from '#cli/services/start-server.ts';

/** A Redis that keeps every job: append-only file, and no eviction, as the queue needs them. */
export const REDIS: ServerKind = {
  name: 'redis',
  program: { commands: ['redis-server', 'valkey-server'], package: 'redis-server' },
  usualPort: 6379,
  prepare,
  answers,
};

async function prepare(dir: string, port: number): Promise<readonly string[]> {
  const data = join(dir, 'redis');
  await mkdir(data, { recursive: true, mode: 0o700 });
  return [
    ...['--bind', '127.0.0.1', '--port', String(port), '--protected-mode', 'yes'],
    ...['--dir', data, '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''],
    ...['--maxmemory-policy', 'noeviction', '--daemonize', 'no', '--loglevel', 'notice'],
  ];
}

/** A PING; one that still loads its data answers something else than PONG. */
function answers(port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, signal });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => end(data.toString('latin1').startsWith('+PONG')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
