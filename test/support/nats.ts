import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect as connectSocket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

/** A real nats-server with JetStream, for one user. */
export interface TestNats extends AsyncDisposable {
  /** `nats://127.0.0.1:PORT`. */
  readonly url: string;
  readonly user: { readonly username: string; readonly password: string };
  /** Makes a stream that keeps a subject. */
  addStream(name: string, subject: string): Promise<void>;
  publish(subject: string, body: Uint8Array | string): Promise<void>;
  /** Messages of a durable consumer that are not acknowledged, delivered or not; no number is reached while there is none. */
  outstanding(stream: string, consumer: string): Promise<number>;
  stop(): Promise<void>;
  /** On the same port and data. */
  start(): Promise<void>;
}

const READY_TRIES = 400;

export async function startNats(): Promise<TestNats> {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-nats-'));
  const port = await freePort();
  const user = { username: 'attestry', password: 'nats-T0PS3CRET' };
  let child: ChildProcess | undefined;
  const kill = () => child?.kill('SIGKILL');
  process.once('exit', kill);

  async function start(): Promise<void> {
    const args = ['-a', '127.0.0.1', '-p', `${port}`, '-js', '-sd', dir];
    child = spawn('nats-server', [...args, '--user', user.username, '--pass', user.password], { stdio: 'ignore' });
    for (let tried = 0; tried < READY_TRIES; tried++) {
      if (await answers(port)) return;
      await sleep(25);
    }
    throw new Error('nats-server did not start: is it installed?');
  }

  async function stop(): Promise<void> {
    const ending = child;
    child = undefined;
    if (!ending) return;
    const ended = new Promise((resolve) => ending.once('close', resolve));
    ending.kill('SIGTERM');
    await ended;
  }

  const open = () => connect({ servers: `127.0.0.1:${port}`, user: user.username, pass: user.password });
  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    user,
    async addStream(name, subject) {
      const connection = await open();
      await (await jetstreamManager(connection)).streams.add({ name, subjects: [subject] });
      await connection.close();
    },
    async publish(subject, body) {
      const connection = await open();
      connection.publish(subject, body);
      await connection.flush();
      await connection.close();
    },
    async outstanding(stream, consumer) {
      const connection = await open();
      const manager = await jetstreamManager(connection);
      const info = await manager.consumers.info(stream, consumer).catch(() => undefined);
      await connection.close();
      return info === undefined ? Number.POSITIVE_INFINITY : info.num_pending + info.num_ack_pending;
    },
    stop,
    start,
    async [Symbol.asyncDispose]() {
      await stop();
      process.off('exit', kill);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
