import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { type ReceivedAlert, startAlertReceiver } from '#cli/demo/alert-receiver.ts';
import { type DemoFiles, writeDemoFiles } from '#cli/demo/demo-files.ts';
import { createHappenings } from '#cli/demo/happenings.ts';
import { playDemo } from '#cli/demo/play.ts';
import { createStory, type Story } from '#cli/demo/story.ts';
import { parseFlags, showHelp } from '#cli/flags.ts';
import { localRegistries } from '#cli/local-engine.ts';
import { loadParts } from '#cli/run-processes.ts';
import { freePort } from '#cli/services/free-port.ts';
import { startLocalServices } from '#cli/services.ts';
import { startServe } from '#compose/serve.ts';
import { AppError } from '#model/errors.ts';

const USAGE = `
Usage: attestry start [--once] [--data DIR] [--redis URL] [--registry HOST]

Runs everything on this machine with embedded defaults: Redis, a registry, producer and worker. Pushes a real
image, shows how it gets its signed evidence, deletes the evidence, and shows how that is noticed and mended.
Then keeps serving until Ctrl-C.

  --once           stop after the summary
  --data DIR       where data is kept (default: .attestry/data beside the program)
  --redis URL      use this Redis instead of starting one (or ATTESTRY_REDIS_URL)
  --registry HOST  use this registry instead of starting one (or ATTESTRY_REGISTRY); its manifests
                   must be deletable, and its pushes are told by the API instead of notifications

Exit: 0 every step had the verdict that it should, 1 one had not, 2 could not.
`;

const OPTIONS = {
  once: { type: 'boolean' },
  data: { type: 'string' },
  redis: { type: 'string' },
  registry: { type: 'string' },
} as const;

const PRODUCER_PORT = 8080;

/** Servers that the user has already. */
interface GivenServers {
  readonly redis: string | undefined;
  readonly registry: string | undefined;
}

export async function startCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = parseFlags(args, OPTIONS);
  if (values.help) return showHelp(io, USAGE);
  const story = createStory(io.stdout, io.now, io.interactive);
  const data = values.data ?? join(homeFolder(), '.attestry', 'data');
  await using stack = new AsyncDisposableStack();
  const given = {
    redis: values.redis ?? io.env.ATTESTRY_REDIS_URL,
    registry: values.registry ?? io.env.ATTESTRY_REGISTRY,
  };
  const stage = await setStage(data, given, story, io, stack);
  const wrong = await playWhileServed(stage, story, io);
  summarise(story, wrong);
  if (values.once) return wrong.length === 0 ? EXIT.ok : EXIT.fail;
  sayWhatNext(story, stage);
  if (!io.signal.aborted) await Promise.race([once(io.signal, 'abort'), stage.failed.then(refuseDeadServer)]);
  return wrong.length === 0 ? EXIT.ok : EXIT.fail;
}

/** Plays the demonstration; a server that ends by itself ends it too, rather than let it wait for what cannot come. */
async function playWhileServed(stage: Awaited<ReturnType<typeof setStage>>, story: Story, io: CommandIo) {
  const broken = new AbortController();
  const signal = AbortSignal.any([io.signal, broken.signal]);
  const played = playDemo({ ...stage, story, signal, now: io.now });
  const dead = stage.failed.then(refuseDeadServer);
  try {
    return await Promise.race([played, dead]);
  } finally {
    dead.catch(() => undefined);
    broken.abort();
    await played.catch(() => undefined);
  }
}

/** Starts all that the demonstration plays on; the stack ends it in reverse order. */
async function setStage(data: string, given: GivenServers, story: Story, io: CommandIo, stack: AsyncDisposableStack) {
  const producerPort = await freePort(PRODUCER_PORT);
  const hookToken = randomBytes(24).toString('base64url');
  const operatorToken = randomBytes(24).toString('base64url');
  const services = stack.use(
    await startLocalServices({
      dir: data,
      path: io.env.PATH ?? '',
      servers: { redis: given.redis === undefined, registry: given.registry === undefined },
      notifications: {
        url: `http://127.0.0.1:${producerPort}/hooks/registry`,
        headers: { Authorization: `Bearer ${hookToken}` },
      },
      log: (line) => story.line('note', line),
      signal: io.signal,
    }),
  );
  const redisUrl = given.redis ?? services.redis?.url;
  const registry = given.registry ?? services.registry?.host;
  if (!redisUrl || !registry) throw new AppError('internal', 'the local services did not start');
  story.line('ok', `Redis at ${new URL(redisUrl).host}, registry at ${registry}`);
  const received = stack.use(createHappenings<ReceivedAlert>(io.signal));
  const receiver = stack.use(await startAlertReceiver((alert) => received.add(alert)));
  const files = await writeDemoFiles({
    dir: join(services.dir, 'demo'),
    registry,
    redisUrl,
    producerPort,
    alertmanagerUrl: receiver.url,
    hookToken,
    operatorToken,
    now: io.now(),
  });
  const parts = await loadParts(files.config, 'attestry', 'all', io);
  const serving = stack.use(await startServe(parts));
  story.line('ok', `producer at ${serving.producer.url}, worker with the rules of ${files.config}`);
  const registries = await localRegistries(io);
  stack.defer(() => registries.close());
  return {
    files,
    target: registries.target(registry),
    registry,
    notifies: given.registry === undefined,
    application: homeFolder(),
    producerUrl: serving.producer.url,
    operatorToken,
    signedBy: 'https://attestry.dev/demonstration (private CA)',
    alerts: received,
    failed: services.failed,
  };
}

/** The clone that this runs in; an installed package keeps its data in the current folder. */
function homeFolder(): string {
  const root = join(import.meta.dirname, '..', '..', '..');
  return existsSync(join(root, 'worker', 'cli', 'main.ts')) ? root : process.cwd();
}

function summarise(story: Story, wrong: readonly string[]): void {
  story.chapter('Summary');
  if (wrong.length === 0) story.line('ok', 'every step had the verdict that it should');
  for (const each of wrong) story.line('bad', each);
}

function sayWhatNext(story: Story, stage: { files: DemoFiles; registry: string; producerUrl: string }): void {
  const { files, registry, producerUrl } = stage;
  const image = `${registry}/demo/app:1.0`;
  story.chapter('Serving until Ctrl-C. Try');
  story.detail(`npx attestry verify ${image} --policy ${files.policy}`);
  story.detail(`npx attestry config explain ${image} --config ${files.config}`);
  story.detail(`npx attestry sbom ${image}`);
  story.detail(`curl ${producerUrl}/metrics`);
  story.detail(`push any image to ${registry}/demo/<name>:<tag> and look at it with verify`);
}

function refuseDeadServer(name: string): never {
  throw new AppError('server-failed', `${name} ended by itself`, { mend: 'look at its log in the data folder' });
}
