import type { Outbound } from '#compose/outbound.ts';
import { trustStore } from '#compose/trust-store.ts';
import type { MaterialSources } from '#compose/trusts.ts';
import { sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { TrustAnchors, TrustOptions } from '#trust/options.ts';
import { PUBLIC_GOOD_MIRROR, PUBLIC_GOOD_ROOT } from '#trust/public-good.ts';
import { createTrustSource, type TrustRefresh, type TrustSource } from '#trust/trust-source.ts';
import { tufRepository } from '#trust/tuf-repository.ts';
import { parseTrustedRoot } from '#verification/trusted-root.ts';

export interface TrustSourceParts {
  readonly outbound: Outbound;
  readonly env: Readonly<Record<string, string | undefined>>;
  readFile(path: string): Promise<Buffer>;
  now(): Date;
  randomBytes(count: number): Uint8Array;
  onRefresh?(refresh: TrustRefresh): void;
}

/** The sources of the trusts whose material is fetched. None of them is asked before `open`. */
export interface TrustSources extends AsyncDisposable {
  readonly byTrust: MaterialSources;
  /** Makes all material available that can be had now; what is away is told, and asked for again. */
  open(signal?: AbortSignal): Promise<void>;
  /** Looks from now on every half minute whether something is due. */
  watch(): void;
}

const LOOK_EVERY_MS = 30_000;
const PUBLIC_GOOD_TIMEOUT_MS = 30_000;

export async function createTrustSources(
  options: readonly TrustOptions[],
  parts: TrustSourceParts,
): Promise<TrustSources> {
  const byTrust = new Map<string, TrustSource>();
  for (const { id, anchors } of options) {
    const settings = await repositorySettings(anchors, parts);
    if (settings) byTrust.set(id, await openSource(id, settings, parts));
  }
  const sources = [...byTrust.values()];
  const stopped = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> | undefined;

  function look(): void {
    running ??= Promise.allSettled(sources.map((source) => source.renew(stopped.signal))).finally(() => {
      running = undefined;
    });
  }

  return {
    byTrust,
    async open(signal) {
      await Promise.all(sources.map((source) => source.open(signal)));
    },
    watch() {
      if (sources.length > 0) timer ??= setInterval(look, LOOK_EVERY_MS);
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      stopped.abort();
      await running;
    },
  };
}

interface RepositorySettings {
  readonly mirror: URL;
  readonly root: Uint8Array;
  readonly target: string;
  readonly timeoutMs: number;
  readonly server: { readonly ca?: string; readonly proxy?: string };
}

async function repositorySettings(
  anchors: TrustAnchors,
  { readFile }: TrustSourceParts,
): Promise<RepositorySettings | undefined> {
  switch (anchors.kind) {
    case 'tuf': {
      const { mirror, root, target, timeout, ...server } = anchors.tuf;
      const bytes = await readFile(root);
      if (!isRoot(bytes)) throw noRoot(root);
      return { mirror: new URL(mirror), root: bytes, target, timeoutMs: timeout, server };
    }
    case 'sigstore': {
      const mirror = new URL(PUBLIC_GOOD_MIRROR);
      const target = 'trusted_root.json';
      return { mirror, root: PUBLIC_GOOD_ROOT, target, timeoutMs: PUBLIC_GOOD_TIMEOUT_MS, server: {} };
    }
    case 'certificateChain':
    case 'caRoots':
    case 'key':
    case 'trustedRoot':
      return undefined;
  }
}

/** Whether its signatures hold is TUF's client's question; a file of another kind should be found at the start. */
function isRoot(bytes: Buffer): boolean {
  try {
    return JSON.parse(bytes.toString('utf8')).signed?._type === 'root';
  } catch {
    return false;
  }
}

function noRoot(path: string): AppError {
  return new AppError('trust-unreadable', `${path} is no root metadata of TUF`, {
    mend: 'take the root.json that whoever runs the repository hands out',
  });
}

async function openSource(
  id: string,
  { mirror, root, target, timeoutMs, server }: RepositorySettings,
  { outbound, env, now, randomBytes, onRefresh }: TrustSourceParts,
): Promise<TrustSource> {
  const name = `trust ${id} (${mirror.host})`;
  // Another root is another repository: what was verified under one says nothing under the other.
  const key = sha256Hex(JSON.stringify([mirror.href, target, sha256Hex(root)]));
  const unique = () => Buffer.from(randomBytes(8)).toString('hex');
  const store = trustStore(key, env, unique);
  const http = await outbound.client({ ...server, hosts: [mirror.host] });
  return createTrustSource({
    id,
    name,
    repository: tufRepository({ name, mirror, root, target, http, timeoutMs, store, now }),
    check: parseTrustedRoot,
    now,
    ...(onRefresh ? { onRefresh } : {}),
  });
}
