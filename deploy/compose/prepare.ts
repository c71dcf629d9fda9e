// node prepare.ts FOLDER: what docker-compose.yml runs on, made once into FOLDER/{signing,intake,registry}.
import { randomBytes } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { makeDemoCa } from '#cli/demo/demo-ca.ts';
import { demoPolicy } from '#cli/demo/demo-policy.ts';

/** Images as people and policies call them, from outside the compose network. */
const IMAGES = 'localhost:5000/*';

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write('usage: node prepare.ts FOLDER\n');
  process.exitCode = 64;
} else {
  await prepare(folder, new Date());
}

/** Writes nothing when everything is there: a restart keeps CA and tokens. */
async function prepare(root: string, now: Date): Promise<void> {
  // The registry's configuration is written last, so that a run that was cut off starts anew.
  const last = join(root, 'registry', 'registry.json');
  if (await exists(last)) return;
  for (const name of ['signing', 'intake', 'registry']) await mkdir(join(root, name), { recursive: true });
  const ca = await makeDemoCa('https://attestry.dev/compose', now);
  await write(join(root, 'signing', 'key.pem'), ca.key);
  await write(join(root, 'signing', 'certificate.pem'), ca.certificate);
  await write(join(root, 'signing', 'chain.pem'), ca.chain);
  await write(join(root, 'signing', 'policy.yaml'), demoPolicy(IMAGES, ca.chain));
  const hookToken = randomBytes(32).toString('base64url');
  await write(join(root, 'intake', 'hook-token'), hookToken);
  await write(join(root, 'intake', 'operator-token'), randomBytes(32).toString('base64url'));
  await write(last, `${JSON.stringify(registryConfiguration(hookToken), undefined, 2)}\n`);
}

/** CNCF Distribution's configuration, which reads JSON as the YAML that it is. */
function registryConfiguration(hookToken: string): object {
  return {
    version: '0.1',
    // At level info the registry logs the headers of its endpoints, and with them the token.
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: '/var/lib/registry' }, delete: { enabled: true } },
    http: { addr: ':5000', secret: randomBytes(32).toString('base64url') },
    notifications: {
      endpoints: [
        {
          name: 'attestry',
          url: 'http://producer:8080/hooks/registry',
          headers: { Authorization: [`Bearer ${hookToken}`] },
          timeout: '3s',
          threshold: 5,
          backoff: '1s',
          ignore: { actions: ['pull'] },
        },
      ],
    },
  };
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
