import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Issued } from './pki.ts';
import { makeScratch } from './scratch.ts';

/** What the CA knows of one certificate. */
export interface IndexEntry {
  /** INTEGER content bytes. */
  readonly serial: Uint8Array;
  readonly revoked?: { readonly since: Date; readonly reason: string };
}

/** A real `openssl ocsp` that answers for a CA. */
export interface OpensslResponder extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
}

export interface OpensslResponderOptions {
  readonly ca: Issued;
  /** Who signs the answers; the CA itself will do. */
  readonly signer: Issued;
  readonly index: readonly IndexEntry[];
  /** Minutes until the next update; absent: it does not say. */
  readonly nextMinutes?: number;
}

const READY_WITHIN_MS = 20_000;
const EXPIRES = '450101000000Z';

export async function startOpensslResponder(options: OpensslResponderOptions): Promise<OpensslResponder> {
  const { ca, signer, index, nextMinutes } = options;
  const scratch = await makeScratch();
  const text = index.map(indexLine).join('');
  const files = {
    index: await scratch.write('index.txt', text),
    ca: await scratch.write('ca.pem', ca.pem),
    signer: await scratch.write('signer.pem', signer.pem),
    key: await scratch.write('signer.key', signer.keyPem),
  };
  const args = ['ocsp', '-index', files.index, '-CA', files.ca, '-rsigner', files.signer, '-rkey', files.key];
  const next = nextMinutes === undefined ? [] : ['-nmin', `${nextMinutes}`];
  const child = spawn('openssl', [...args, ...next, '-port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const onExit = () => void child.kill('SIGKILL');
  process.once('exit', onExit);
  const port = await listening(child);
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      process.removeListener('exit', onExit);
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
      await scratch[Symbol.asyncDispose]();
    },
  };
}

/** The port that it took, as it says itself. */
async function listening(child: ChildProcess): Promise<number> {
  let said = '';
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`openssl ocsp does not listen: ${said}`)), READY_WITHIN_MS);
    const look = (chunk: Buffer) => {
      said += chunk.toString();
      const port = /ACCEPT .*:(\d+)/.exec(said)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`openssl ocsp ended with ${code}: ${said}`));
    });
  });
}

/** A line of `openssl ca`'s database: state, expiry, revocation, serial number, file, name. */
function indexLine({ serial, revoked }: IndexEntry): string {
  const number = Buffer.from(serial).toString('hex').toUpperCase();
  const state = revoked ? ['R', EXPIRES, `${utcTime(revoked.since)},${revoked.reason}`] : ['V', EXPIRES, ''];
  return `${[...state, number, 'unknown', '/CN=Test Signer'].join('\t')}\n`;
}

function utcTime(date: Date): string {
  return `${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`;
}
