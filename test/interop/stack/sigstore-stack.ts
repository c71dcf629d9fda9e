import { dirname, join } from 'node:path';
import { toolPath } from '../../../scripts/setup/go-tools.mjs';
import { ensureServers } from '../../../scripts/setup/servers.mjs';
import { CLONE } from '../../support/cli.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { startCtLog, startFulcio } from './certificate-servers.ts';
import { type IdentityIssuer, startIdentityIssuer } from './identity-issuer.ts';
import { startPostgres } from './postgres.ts';
import type { Server } from './server.ts';
import { type StackKeys, writeStackKeys } from './stack-keys.ts';
import { createTree, startTrillian } from './trillian.ts';
import { type TrustFiles, writeTrustedRoot, writeTrustFiles } from './trust-files.ts';
import { startTufRepository, type TufRepository } from './tuf-repository.ts';
import { startRekor1, startRekor2, startTimestampServer } from './witness-servers.ts';

/** A whole private Sigstore: Fulcio with a CT log, Rekor v1 and v2, a timestamp authority, an issuer, a TUF repository. */
export interface SigstoreStack extends AsyncDisposable {
  readonly scratch: Scratch;
  readonly keys: StackKeys;
  readonly trust: TrustFiles;
  readonly issuer: IdentityIssuer;
  readonly tuf: TufRepository;
  readonly startMs: number;
  /** Writes a trusted root with another certificate authority, and answers its path. */
  trustedRoot(name: string, chain: string): Promise<string>;
  /** MiB by server. */
  memory(): Promise<Readonly<Record<string, number>>>;
}

type Part = Pick<Server, 'stop'>;

/** Starts all of it on its fixed ports. What was started is stopped when a later part fails. */
export async function startSigstoreStack(): Promise<SigstoreStack> {
  const began = performance.now();
  const scratch = await makeScratch();
  const parts: Part[] = [];
  const servers: Server[] = [];
  const stopAll = async () => {
    await Promise.all(parts.map((part) => part.stop()));
    await scratch[Symbol.asyncDispose]();
  };
  const runs = <T extends Part>(part: T): T => {
    parts.push(part);
    return part;
  };
  const serves = async <T extends Server>(starting: Promise<T>): Promise<T> => {
    const server = runs(await starting);
    servers.push(server);
    return server;
  };
  try {
    const keys = await writeStackKeys(scratch);
    const issuer = runs(await startIdentityIssuer());
    const trusted = writeTrustFiles(scratch, keys, issuer.url('email'));
    const independent = settle([serves(startTimestampServer(keys)), serves(startRekor2(scratch, keys))]);
    const logs = (async () => {
      const { postgres } = await ensureServers({ ids: ['postgres'], say: () => {}, root: undefined });
      const schema = join(dirname(toolPath(CLONE, 'trillian_log_server')), 'storage.sql');
      const database = await serves(startPostgres(scratch, postgres, schema));
      for (const server of await startTrillian(database)) await serves(Promise.resolve(server));
      await serves(startCtLog(scratch, keys, await createTree()));
      await serves(startFulcio(scratch, keys, issuer));
    })();
    await settle([independent, logs]);
    // Both want one port for metrics, and only this one lives without it.
    await serves(startRekor1(keys));
    const trust = await trusted;
    const tuf = runs(await startTufRepository(keys, trust));
    return {
      ...{ scratch, keys, trust, issuer, tuf, startMs: Math.round(performance.now() - began) },
      trustedRoot: (name, chain) => writeTrustedRoot(scratch, keys, name, chain),
      memory: async () => {
        const pairs = servers.map(async (server) => [server.name, await server.memory()] as const);
        return Object.fromEntries(await Promise.all(pairs));
      },
      [Symbol.asyncDispose]: stopAll,
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** Waits for all, also for those that still start when one has failed, so that they can be stopped. */
async function settle(starting: readonly Promise<unknown>[]): Promise<void> {
  const ends = await Promise.allSettled(starting);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
