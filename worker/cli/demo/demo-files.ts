import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { makeDemoCa } from '#cli/demo/demo-ca.ts';
import { demoPolicy } from '#cli/demo/demo-policy.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';

/** Where the demonstration's image goes. */
export const DEMO_REPOSITORY = 'demo/app';
export const DEMO_TAG = '1.0';
/** The source of the registry's notifications: `/hooks/registry`. */
export const DEMO_SOURCE = 'registry';

export interface DemoFiles {
  readonly config: string;
  readonly policy: string;
  readonly chain: string;
}

export interface DemoSettings {
  readonly dir: string;
  readonly registry: string;
  readonly redisUrl: string;
  readonly producerPort: number;
  readonly alertmanagerUrl: string;
  readonly hookToken: string;
  readonly operatorToken: string;
  readonly now: Date;
}

/** Days before its end at which the demonstration's certificate is made anew. */
const RENEW_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Writes all that the demonstration runs on as a person would: keys, certificates, policy, configuration. */
export async function writeDemoFiles(settings: DemoSettings): Promise<DemoFiles> {
  const { dir } = settings;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const at = (name: string) => join(dir, name);
  const write = (name: string, text: string) => writeFile(at(name), text, { mode: 0o600 });
  await ensureCa(at, settings.now);
  await write('hook-token', settings.hookToken);
  await write('operator-token', settings.operatorToken);
  // The address of a Redis that somebody has already may hold its password.
  await write('redis-url', settings.redisUrl);
  const chain = await readFile(at('chain.pem'), 'utf8');
  await write('policy.yaml', demoPolicy(`${settings.registry}/demo/*`, chain));
  await write('attestry.yaml', stringify(demoConfig(settings)));
  return { config: at('attestry.yaml'), policy: at('policy.yaml'), chain: at('chain.pem') };
}

/** A second run signs with the same certificate, so that it finds its own evidence. */
async function ensureCa(at: (name: string) => string, now: Date): Promise<void> {
  if (await isUsable(at('certificate.pem'), now)) return;
  const ca = await makeDemoCa('https://attestry.dev/demonstration', now);
  await writeFile(at('key.pem'), ca.key, { mode: 0o600 });
  await writeFile(at('chain.pem'), ca.chain);
  await writeFile(at('certificate.pem'), ca.certificate);
}

async function isUsable(file: string, now: Date): Promise<boolean> {
  try {
    const [certificate] = parseCertificates(await readFile(file, 'utf8'));
    return certificate !== undefined && certificate.notAfter.getTime() - now.getTime() > RENEW_DAYS * DAY_MS;
  } catch {
    return false;
  }
}

function demoConfig({ registry, producerPort, alertmanagerUrl }: DemoSettings): object {
  return {
    version: 1,
    instance: { id: 'demonstration' },
    redis: { url: 'file:redis-url', prefix: 'attestry-demonstration' },
    registries: [{ name: registry }],
    signers: [
      { id: 'private-ca', type: 'x509', key: 'file:key.pem', certificate: 'certificate.pem', chain: 'chain.pem' },
    ],
    policies: [{ id: 'signed-evidence', file: 'policy.yaml', every: '1h' }],
    rules: [
      {
        name: 'demo',
        match: { repository: 'demo/**' },
        evidence: [
          { type: 'cyclonedx', signer: 'private-ca' },
          { type: 'slsaprovenance1', signer: 'private-ca' },
        ],
        policies: 'signed-evidence',
        onLapse: 'attest',
      },
    ],
    sources: [{ id: DEMO_SOURCE, sender: 'distribution', registry, auth: { bearer: 'file:hook-token' } }],
    sinks: [{ id: 'alerts', type: 'alertmanager', url: alertmanagerUrl }],
    producer: {
      listen: { host: '127.0.0.1', port: producerPort },
      api: { operators: [{ name: 'demonstration', token: 'file:operator-token' }] },
    },
    worker: { listen: { host: '127.0.0.1', port: 0 } },
    log: { level: 'error', format: 'pretty' },
  };
}
