import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { onlyPositional, parseFlags } from '#cli/flags.ts';
import { assumedSource } from '#cli/hooks/assume.ts';
import { describeExplained } from '#cli/hooks/describe.ts';
import { explainDelivery } from '#cli/hooks/explain-delivery.ts';
import { postSample, type TriedAnswer } from '#cli/hooks/post-sample.ts';
import { baseUrl } from '#cli/hooks/setup.ts';
import { NO_REQUEST } from '#cli/hooks/stored-request.ts';
import { configFile } from '#cli/run-processes.ts';
import { loadConfig } from '#config/load.ts';
import type { Config } from '#config/schema.ts';
import { createSecretResolver } from '#config/secrets.ts';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { splitReference } from '#model/image-ref.ts';
import type { SourceOptions } from '#producer/intake/options.ts';
import { prove } from '#producer/intake/prove.ts';
import { receiverOf } from '#producer/intake/receiver.ts';
import { boundRegistries, mountSource } from '#producer/intake/source.ts';
import { TRIAL_HEADER } from '#producer/intake/trial.ts';
import type { Sample, SampleFacts } from '#producer/webhooks/guide.ts';
import { guideOf } from '#producer/webhooks/guides/index.ts';
import { adapterOf } from '#producer/webhooks/index.ts';

const OPTIONS = {
  config: { type: 'string' },
  url: { type: 'string' },
  image: { type: 'string' },
  enqueue: { type: 'boolean' },
} as const;

/**
 * `attestry hooks test SOURCE`: sends what the sender would send, proved as it would prove it, through the door of the
 * running producer.
 * @throws AppError `usage`, `config-invalid`, `network`.
 */
export async function testCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  const name = onlyPositional(positionals, 'SOURCE');
  const config = await loadConfig(configFile(values.config, io), io, 'none');
  const source = sourceOf(name, config);
  if (values.enqueue && values.image === undefined) {
    throw new AppError('usage', '--enqueue needs an image that is there', {
      mend: 'write --image REPOSITORY:TAG@DIGEST',
    });
  }
  const base = baseUrl(values.url, config) ?? listening(config);
  const sample = sampleOf(source, config, base, values.image, io);
  const secrets = createSecretResolver({ env: io.env, readFileSync });
  const { credential } = mountSource(source, boundRegistries(config.registries), secrets);
  const proof = prove(credential, sample.body);
  if ('cannot' in proof) {
    io.stderr(`not sent: ${proof.cannot}. What reading it would do:\n`);
    return explain(source, config, sample, values.json === true, io);
  }
  const mark = values.enqueue ? {} : { [TRIAL_HEADER]: 'true' };
  const { url } = receiverOf(source, [], base, () => undefined);
  const headers = { ...sample.headers, ...proof.headers, ...mark };
  const answer = await postSample({ url, query: proof.query, headers, body: sample.body }, io);
  if (values.json) io.stdout(`${JSON.stringify({ url, status: answer.status, ...answer.body }, null, 2)}\n`);
  else io.stdout(describe(url, answer));
  if (!values.enqueue && answer.results.some(({ status }) => status === 'queued')) {
    io.stderr('the producer took it for a real delivery: it is older than this program\n');
  }
  return answer.status < 300 && answer.results.some(({ status }) => status !== 'skipped') ? EXIT.ok : EXIT.fail;
}

function sourceOf(name: string, config: Config): SourceOptions {
  const source = config.sources.find(({ id }) => id === name);
  if (source) return source;
  throw new AppError('usage', `there is no source "${name}"`, {
    mend: `sources of the configuration: ${config.sources.map(({ id }) => id).join(', ') || 'none'}`,
  });
}

/** Where the producer of this configuration listens on this machine. */
function listening({ producer }: Config): string {
  const { host, port } = producer.listen;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function sampleOf(
  source: SourceOptions,
  config: Config,
  base: string,
  image: string | undefined,
  io: CommandIo,
): Sample {
  const names = source.registries.map((id) => config.registries.find((one) => one.id === id)?.name ?? id);
  const receiver = receiverOf(source, names, base, () => undefined);
  const facts = { image: imageOf(image, names, receiver.settings), id: randomUUID(), at: io.now(), receiver };
  return guideOf(source.sender).sample(facts);
}

const DEFAULT_REPOSITORY = 'attestry/trial';

/** `REPOSITORY[:TAG][@DIGEST]`, with or without the registry before it; one that nobody has when absent. */
function imageOf(
  text: string | undefined,
  names: readonly string[],
  settings: SampleFacts['receiver']['settings'],
): SampleFacts['image'] {
  const [registry = ''] = names;
  const defaults = { tag: 'trial', digest: sha256('attestry trial') };
  if (text === undefined) return { registry, repository: firstPart(registry, settings), ...defaults };
  const own = names.find((name) => text.startsWith(`${name}/`));
  const { path, tag, digest } = splitReference(`${registry}/${own === undefined ? text : text.slice(own.length + 1)}`);
  if (path === '') throw new AppError('usage', '--image names no repository', { mend: 'write REPOSITORY:TAG@DIGEST' });
  const given = { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
  return { registry: own ?? registry, repository: path, ...defaults, ...given };
}

/** A repository below what the source's own names allow. */
function firstPart(registry: string, { repositories, repoKeyMap }: SampleFacts['receiver']['settings']): string {
  const place = Object.values(repositories ?? {}).find((one) => one.startsWith(`${registry}/`));
  const key = Object.values(repoKeyMap ?? {})[0];
  const first = place?.slice(registry.length + 1) ?? key ?? '';
  return first === '' ? DEFAULT_REPOSITORY : `${first}/${DEFAULT_REPOSITORY}`;
}

async function explain(
  source: SourceOptions,
  config: Config,
  { headers, body }: Sample,
  json: boolean,
  io: CommandIo,
): Promise<number> {
  const adapter = adapterOf(source.sender);
  if (!adapter) throw new Error(`no adapter ${source.sender}`);
  const outbound = { get: () => Promise.reject(new AppError('internal', 'nothing is fetched for a sample')) };
  const surroundings = { outbound, now: () => io.now() };
  const request = { ...NO_REQUEST, headers };
  const explained = await explainDelivery(
    adapter,
    request,
    Buffer.from(body),
    assumedSource(source, config),
    surroundings,
  );
  io.stdout(json ? `${JSON.stringify(explained.explanation, null, 2)}\n` : describeExplained(explained));
  return EXIT.ok;
}

function describe(url: string, { status, body, results }: TriedAnswer): string {
  const lines = results.map((one) => {
    if (one.status === 'skipped') return `  skip     ${one.from}  ${one.reason}: ${one.message}`;
    return `  ${one.status === 'not-enqueued' ? 'would enqueue' : one.status}  ${one.from}  ${one.image}`;
  });
  const isTold = results.length > 0 || typeof body.reason === 'string';
  const why = typeof body.reason === 'string' ? `  ${body.reason}: ${String(body.message)}` : undefined;
  const mend = MENDS[status] ?? (isTold ? undefined : NOT_OURS);
  const hint = mend === undefined ? [] : [`  ${mend}`];
  return `${[`POST ${url}: ${status}`, ...(lines.length === 0 && why ? [why] : lines), ...hint].join('\n')}\n`;
}

const NOT_OURS = 'what answered does not speak as the intake: does a proxy, or another server, stand at this address?';

const MENDS: Readonly<Record<number, string>> = {
  401: 'the running producer has another secret for this source than this configuration',
  403: 'the running producer does not take the delivery for this source’s own',
  404: 'nothing is mounted at this address: is it the producer, has it been started with this source, does a proxy change the path?',
  503: 'the producer cannot reach Redis, or cannot check what it was sent; its log says which',
};
