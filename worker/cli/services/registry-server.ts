import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerKind } from '#cli/services/start-server.ts';

/** Where a registry sends its push events, and the headers that let it in. */
export interface Notifications {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A CNCF Distribution registry that allows deletion and reports its pushes. */
export function registryKind(notifications: Notifications | undefined): ServerKind {
  return {
    name: 'registry',
    program: { commands: ['docker-registry', 'registry'], package: 'docker-registry' },
    usualPort: 5000,
    prepare: (dir, port) => prepare(dir, port, notifications),
    answers,
  };
}

async function prepare(
  dir: string,
  port: number,
  notifications: Notifications | undefined,
): Promise<readonly string[]> {
  const storage = join(dir, 'registry');
  await mkdir(storage, { recursive: true, mode: 0o700 });
  const file = join(dir, 'registry.json');
  // JSON is YAML. The headers hold a credential.
  await writeFile(file, JSON.stringify(configuration(storage, port, notifications), undefined, 2), { mode: 0o600 });
  return ['serve', file];
}

/** Distribution's configuration (its docs, "Configuring a registry"), in the form that 2.x and 3.x read. */
function configuration(storage: string, port: number, notifications: Notifications | undefined): unknown {
  return {
    version: '0.1',
    // At level info the registry logs the headers of its endpoints, and with them the credential.
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
    ...(notifications ? { notifications: { endpoints: [endpoint(notifications)] } } : {}),
  };
}

function endpoint({ url, headers }: Notifications): unknown {
  return {
    name: 'attestry',
    url,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    timeout: '3s',
    threshold: 5,
    backoff: '1s',
    ignore: { actions: ['pull'] },
  };
}

/** The base of the API (OCI distribution-spec, "Determining support"). */
async function answers(port: number, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v2/`, { signal });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
