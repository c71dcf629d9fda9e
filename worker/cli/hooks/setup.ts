import { readFileSync } from 'node:fs';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { onlyPositional, parseFlags } from '#cli/flags.ts';
import { exampleSource } from '#cli/hooks/example-source.ts';
import { configFile } from '#cli/run-processes.ts';
import { loadConfig } from '#config/load.ts';
import type { Config } from '#config/schema.ts';
import { createSecretResolver } from '#config/secrets.ts';
import { AppError } from '#model/errors.ts';
import type { SourceOptions } from '#producer/intake/options.ts';
import { EXAMPLE_URL, type Reveal, receiverOf } from '#producer/intake/receiver.ts';
import type { Paste, Receiver, SenderGuide } from '#producer/webhooks/guide.ts';
import { GUIDES, guideOf } from '#producer/webhooks/guides/index.ts';

const OPTIONS = {
  config: { type: 'string' },
  url: { type: 'string' },
  'show-secret': { type: 'boolean' },
} as const;

/** What is printed for a source. */
interface Setup {
  readonly guide: SenderGuide;
  readonly receiver: Receiver;
  /** What has to be written on our side first; absent where it is there. */
  readonly missing?: string;
}

/** `attestry hooks setup SOURCE`. @throws AppError `usage`, `config-invalid`. */
export async function setupCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  const name = onlyPositional(positionals, 'SOURCE');
  const config = await configured(values.config, io);
  const base = baseUrl(values.url, config);
  if (base === undefined) {
    io.stderr(`producer.url is not set: ${EXAMPLE_URL} stands for it; set it, or write --url\n`);
  }
  const reveal: Reveal = values['show-secret']
    ? (reference) => createSecretResolver({ env: io.env, readFileSync })(reference).reveal()
    : () => undefined;
  const setup = await setupOf(name, config, base ?? EXAMPLE_URL, reveal);
  const { guide, receiver, missing } = setup;
  if (missing === undefined && isOpen(config, name)) {
    io.stderr(`${name} has auth: none: whoever reaches its address may name images to look at\n`);
  }
  const pastes = guide.paste(receiver);
  if (!values['show-secret'] && holdsSecret(receiver)) {
    io.stderr('secrets are shown by where they are; --show-secret prints them\n');
  }
  const checks = checksOf(guide, receiver);
  const json = { source: receiver.id, sender: guide.sender, url: receiver.url, missing, paste: pastes, check: checks };
  io.stdout(values.json ? `${JSON.stringify(json, null, 2)}\n` : describe(setup, pastes, checks));
  return EXIT.ok;
}

/** Without a file there is nothing of their own yet, and the sender's example says what to begin with. */
async function configured(flag: string | undefined, io: CommandIo): Promise<Config | undefined> {
  const file = configFile(flag, io);
  const isThere = await io.readFile(file).then(
    () => true,
    () => flag !== undefined || io.env.ATTESTRY_CONFIG !== undefined,
  );
  return isThere ? loadConfig(file, io, 'none') : undefined;
}

/** Where senders reach the producer; undefined when nobody said it. @throws AppError `usage`. */
export function baseUrl(flag: string | undefined, config: Config | undefined): string | undefined {
  if (flag === undefined) return config?.producer.url ?? config?.instance.url;
  const url = URL.canParse(flag) ? new URL(flag) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.search === '' && url.username === '') return flag;
  throw new AppError('usage', '--url is not an address of the intake', {
    mend: `write what stands before /hooks, e.g. ${EXAMPLE_URL}`,
  });
}

async function setupOf(name: string, config: Config | undefined, base: string, reveal: Reveal): Promise<Setup> {
  const source = config?.sources.find(({ id }) => id === name);
  if (config && source) {
    return { guide: guideOf(source.sender), receiver: receiverOf(source, namesOf(source, config), base, reveal) };
  }
  const guide = GUIDES.find(({ sender }) => sender === name);
  if (!guide) {
    const known = config?.sources.map(({ id }) => id).join(', ') || 'none';
    throw new AppError('usage', `there is no source "${name}"`, {
      mend: `sources of the configuration: ${known}; senders to begin with: ${GUIDES.map(({ sender }) => sender).join(', ')}`,
    });
  }
  const { text, receiver } = await exampleSource(guide, base);
  return { guide, receiver, missing: text };
}

function namesOf(source: SourceOptions, config: Config): readonly string[] {
  return source.registries.map((id) => config.registries.find((one) => one.id === id)?.name ?? id);
}

function isOpen(config: Config | undefined, name: string): boolean {
  return config?.sources.find(({ id }) => id === name)?.auth.kind === 'none';
}

function holdsSecret({ url, address, header, signingSecret }: Receiver): boolean {
  return header !== undefined || signingSecret !== undefined || address.text !== url;
}

function checksOf({ check }: SenderGuide, receiver: Receiver): readonly string[] {
  return [
    ...(receiver.pulled ? [] : [`attestry hooks test ${receiver.id}: is the door open for what the sender will send?`]),
    ...(check ? [check(receiver)] : []),
    'Push an image; the log says "push enqueued", and attestry_deliveries_total counts it under its source.',
    `attestry hooks deliveries --source ${receiver.id}: what was refused, and why.`,
  ];
}

function describe({ guide, receiver, missing }: Setup, pastes: readonly Paste[], checks: readonly string[]): string {
  const own = missing === undefined ? [] : [titled('In the configuration of Attestry', missing)];
  const theirs = pastes.map((paste) => titled(paste.where, 'fields' in paste ? fields(paste.fields) : paste.text));
  const check = titled('How to check that it arrives', checks.map((line) => `- ${line}`).join('\n'));
  return `# ${receiver.id}: ${guide.title}, ${receiver.pulled?.from ?? receiver.url}\n\n${[...own, ...theirs, check].join('\n')}`;
}

function titled(title: string, text: string): string {
  return `## ${title}\n\n${text.trimEnd()}\n`;
}

function fields(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}
