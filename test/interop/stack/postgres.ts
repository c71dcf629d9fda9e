import { chmod, chown, mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../../support/run-command.ts';
import type { Scratch } from '../../support/scratch.ts';
import { type Server, startServer } from './server.ts';

export interface Postgres extends Server {
  /** For Trillian. */
  readonly uri: string;
}

/** PostgreSQL on a Unix socket alone, with one database `trillian` that holds the tables of this file. */
export async function startPostgres(scratch: Scratch, postgres: string, schema: string): Promise<Postgres> {
  // Its other programs lie beside it, wherever a link on PATH leads from.
  const bin = dirname(await realpath(postgres));
  const data = scratch.at('postgres/data');
  const socket = scratch.at('postgres/socket');
  await mkdir(socket, { recursive: true });
  await mkdir(data);
  const user = await unprivileged();
  if (user !== undefined) {
    await Promise.all([scratch.dir, scratch.at('postgres')].map((folder) => chmod(folder, 0o711)));
    await Promise.all([data, socket].map((folder) => chown(folder, user.uid, user.gid)));
  }
  const run = async (program: string, args: readonly string[]) => {
    const { code, stderr } = await runCommand(join(bin, program), args, { ...user, env: { PATH: process.env.PATH } });
    if (code !== 0) throw new Error(`${program}: ${stderr}`);
  };
  await run('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-N', '--no-locale', '-E', 'UTF8']);
  const connect = ['-h', socket, '-U', 'postgres'];
  // What is lost with the machine is lost with the test: nothing is forced to disk.
  const settings = ['listen_addresses=', 'synchronous_commit=off', 'shared_buffers=32MB', 'autovacuum=off'];
  const server = await startServer({
    name: 'postgres',
    command: postgres,
    args: ['-D', data, '-k', socket, '-F', ...settings.flatMap((setting) => ['-c', setting])],
    ready: async () => (await runCommand(join(bin, 'pg_isready'), connect)).code === 0,
    // Ends at once, without a checkpoint (pg_ctl(1), immediate).
    stopSignal: 'SIGQUIT',
    ...(user === undefined ? {} : { user }),
  });
  await run('createdb', [...connect, 'trillian']);
  await run('psql', [
    '-q',
    '-v',
    'ON_ERROR_STOP=1',
    ...connect,
    '-d',
    'trillian',
    '-c',
    await readFile(schema, 'utf8'),
  ]);
  return { ...server, uri: `postgresql:///trillian?host=${socket}&user=postgres` };
}

/** PostgreSQL refuses to be root; Debian's package brings this user. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = await readFile('/etc/passwd', 'utf8');
  const [, uid, gid] =
    /^(?:postgres):[^:]*:(\d+):(\d+):/m.exec(users) ?? /^nobody:[^:]*:(\d+):(\d+):/m.exec(users) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
