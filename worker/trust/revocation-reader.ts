import { MAX_LIST_BYTES } from '#crypto/revocation-list.ts';
import type { HttpClient } from '#http/client.ts';
import { AppError } from '#model/errors.ts';

/** Reads the bytes behind a name of a list: an address, `file:` or `env:`. */
export interface RevocationReader {
  /** @throws AppError in words that name the source. */
  read(source: string, signal?: AbortSignal): Promise<Uint8Array>;
}

export interface RevocationReaderParts {
  /** Made for the hosts that lists may come from, and no others. It follows no redirect. */
  readonly client: HttpClient;
  readFile(path: string): Promise<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const WHOLE_TIMEOUT_MS = 60_000;

export function createRevocationReader({ client, readFile, env }: RevocationReaderParts): RevocationReader {
  async function fetch(address: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (!URL.canParse(address)) throw new AppError('crl-unreadable', 'its address is no URL');
    const timeout = AbortSignal.timeout(WHOLE_TIMEOUT_MS);
    const response = await client.request({
      method: 'GET',
      url: new URL(address),
      headersTimeoutMs: HEADERS_TIMEOUT_MS,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    if (response.status !== 200) {
      response.body.destroy();
      throw new AppError('network', `its server answered ${response.status} where 200 is wanted`);
    }
    // PEM is a third longer than the bytes in it.
    return await response.bytes(MAX_LIST_BYTES * 1.5);
  }

  return {
    async read(source, signal) {
      if (source.startsWith('file:')) {
        return await readFile(source.slice('file:'.length)).catch((cause: unknown) => {
          throw new AppError('crl-unreadable', 'the file cannot be read', { cause });
        });
      }
      if (source.startsWith('env:')) {
        const text = env[source.slice('env:'.length)];
        if (text === undefined) throw new AppError('crl-unreadable', 'the variable is not set');
        return Buffer.from(text);
      }
      return await fetch(source, signal);
    },
  };
}
