import { dirname, join } from 'node:path';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { parseFlags } from '#cli/flags.ts';
import { type Assumption, assumedSource, readAssumption } from '#cli/hooks/assume.ts';
import { describeExplained } from '#cli/hooks/describe.ts';
import { explainDelivery } from '#cli/hooks/explain-delivery.ts';
import { NO_REQUEST, readStoredRequest, type StoredRequest } from '#cli/hooks/stored-request.ts';
import { AppError } from '#model/errors.ts';
import type { Outbound } from '#producer/intake/ports.ts';
import { shown } from '#producer/intake/shown.ts';
import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ADAPTERS, adapterOf } from '#producer/webhooks/index.ts';

const OPTIONS = {
  headers: { type: 'string' },
  body: { type: 'string' },
  assume: { type: 'string' },
  config: { type: 'string' },
  source: { type: 'string' },
  clock: { type: 'string' },
  delivery: { type: 'string' },
} as const;

type Files = Pick<CommandIo, 'readFile' | 'env'>;

/** `attestry hooks parse`. @throws AppError `usage`, and `config-invalid` naming the flag whose file is not fit. */
export async function parseDelivery(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (values.delivery !== undefined) {
    if (positionals.length > 0 || values.headers !== undefined || values.body !== undefined) {
      throw usage('--delivery takes the place of SENDER, --headers and --body', 'see --help');
    }
    const { showDelivery } = await import('#cli/hooks/show.ts');
    return showDelivery(values.delivery, { config: values.config, json: values.json, whole: false }, io);
  }
  const [sender, ...more] = positionals;
  if (sender === undefined || more.length > 0) throw usage('exactly one SENDER is wanted', 'see --help');
  const adapter = adapterOf(sender);
  const known = ADAPTERS.map(({ id }) => id).join(', ');
  if (!adapter) throw usage(`the sender "${shown(sender)}" is not known`, `write one of ${known}`);
  const request = await readRequest(io, adapter, values.headers);
  const clock = values.clock ?? request.clock;
  requireTime(clock);
  // Asking for consent has no body.
  const isBare = values.body === undefined && request.method === 'OPTIONS';
  const body = isBare ? Buffer.alloc(0) : await readBytes(io, '--body', values.body);
  const assumption = await readSource(io, adapter, values);
  const explained = await explainDelivery(adapter, request, body, assumption, {
    outbound: filesOf(io, request, values.headers),
    now: () => (clock === undefined ? io.now() : new Date(clock)),
  });
  io.stdout(values.json ? `${JSON.stringify(explained.explanation, null, 2)}\n` : describeExplained(explained));
  return EXIT.ok;
}

async function readRequest(io: Files, adapter: WebhookAdapter, path: string | undefined): Promise<StoredRequest> {
  if (path === undefined && adapter.transport === 'pull') return NO_REQUEST;
  return readStoredRequest(await readJsonFile(io, '--headers', path), adapter);
}

/** Certificates and keys from the files that the stored request names; nothing is fetched. */
function filesOf(io: Files, { fetched }: StoredRequest, headers: string | undefined): Outbound {
  return {
    async get(url) {
      const file = Object.hasOwn(fetched, url.href) ? fetched[url.href] : undefined;
      if (file !== undefined) return await readBytes(io, '--headers', join(dirname(headers ?? ''), file));
      throw new AppError('config-invalid', `\`auth\` names no file for ${url.host}`, { field: '--headers' });
    },
  };
}

interface SourceFlags {
  readonly assume?: string | undefined;
  readonly config?: string | undefined;
  readonly source?: string | undefined;
}

async function readSource(io: Files, adapter: WebhookAdapter, flags: SourceFlags): Promise<Assumption> {
  const { assume, config, source } = flags;
  if (assume !== undefined && config !== undefined)
    throw usage('--assume and --config exclude each other', 'see --help');
  if ((config === undefined) !== (source === undefined)) {
    throw usage('--config and --source go together', 'name the configuration file and the id of a source in it');
  }
  if (config !== undefined && source !== undefined) return configured(io, adapter, config, source);
  if (assume !== undefined) return readAssumption(await readJsonFile(io, '--assume', assume), adapter);
  return readAssumption({}, adapter);
}

// Loaded only when asked for: the plain case needs no YAML and no schema of everything.
async function configured(io: Files, adapter: WebhookAdapter, file: string, id: string): Promise<Assumption> {
  const { loadConfig } = await import('#config/load.ts');
  const config = await loadConfig(file, io, 'none');
  const source = config.sources.find((one) => one.id === id);
  if (!source) {
    const known = config.sources.map((one) => one.id).join(', ') || 'none';
    throw new AppError('config-invalid', `${file} has no source "${shown(id)}"`, {
      field: '--source',
      mend: `its sources: ${known}`,
    });
  }
  if (source.sender !== adapter.id)
    throw usage(`the source ${id} is of the sender ${source.sender}`, 'name that sender');
  return assumedSource(source, config);
}

async function readJsonFile(io: Files, flag: string, path: string | undefined): Promise<unknown> {
  const bytes = await readBytes(io, flag, path);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's message quotes the file, which may hold a credential.
    throw new AppError('config-invalid', `${path} is not JSON`, { field: flag });
  }
}

async function readBytes(io: Files, flag: string, path: string | undefined): Promise<Buffer> {
  if (path === undefined) throw usage(`${flag} FILE is missing`, 'see --help');
  try {
    return await io.readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new AppError('config-invalid', `${path} cannot be read (${code})`, { field: flag, cause: error });
  }
}

function requireTime(text: string | undefined): void {
  if (text === undefined || (/^\d{4}-\d{2}-\d{2}T/.test(text) && !Number.isNaN(Date.parse(text)))) return;
  throw usage(`the clock "${shown(text)}" is not a time`, 'write ISO 8601, e.g. 2026-03-02T10:15:31Z');
}

function usage(message: string, mend: string): AppError {
  return new AppError('usage', message, { mend });
}
