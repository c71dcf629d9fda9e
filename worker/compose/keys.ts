import { setTimeout as sleep } from 'node:timers/promises';
import type { Outbound } from '#compose/outbound.ts';
import type { HttpClient } from '#http/client.ts';
import { AppError } from '#model/errors.ts';
import type { SecretResolver } from '#model/secret.ts';
import { createKeyRing, type KeyRing } from '#signing/keys/key-ring.ts';

export interface KeySurroundings {
  readonly secrets: SecretResolver;
  readonly outbound: Outbound;
  readFile(path: string): Promise<Buffer>;
  now(): Date;
}

/** Keys wherever they lie, over the process's HTTP clients. */
export function createKeys({ secrets, outbound, readFile, now }: KeySurroundings): KeyRing {
  const clients = new Map<string, Promise<HttpClient>>();

  /** Tokens are asked for again and again: one client for each host. */
  function http(url: URL, caFile?: string): Promise<HttpClient> {
    const key = `${url.host}\n${caFile ?? ''}`;
    const known = clients.get(key);
    if (known) return known;
    const made = outbound.client({ hosts: [url.host], ...(caFile === undefined ? {} : { ca: caFile }) });
    clients.set(key, made);
    // A CA file that could not be read may be there next time.
    made.catch(() => clients.delete(key));
    return made;
  }

  return createKeyRing({ secrets, readFile, now, http, wait });
}

async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    throw new AppError('canceled', 'signing was canceled', { cause: error });
  }
}
