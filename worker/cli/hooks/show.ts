import { type CommandIo, EXIT } from '#cli/command.ts';
import { parseFlags } from '#cli/flags.ts';
import { assumedSource, readAssumption } from '#cli/hooks/assume.ts';
import { describeExplained } from '#cli/hooks/describe.ts';
import { type ExplainedDelivery, explainDelivery } from '#cli/hooks/explain-delivery.ts';
import { keptById, openKept } from '#cli/hooks/kept.ts';
import { NO_REQUEST } from '#cli/hooks/stored-request.ts';
import type { Config } from '#config/schema.ts';
import { AppError } from '#model/errors.ts';
import { type KeptDelivery, keptBody } from '#model/kept-delivery.ts';
import { adapterOf } from '#producer/webhooks/index.ts';

/** `attestry hooks show ID`. @throws AppError `usage`, `redis-unavailable`. */
export async function showCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, { config: { type: 'string' } });
  const [id, ...more] = positionals;
  if (id === undefined || more.length > 0) throw new AppError('usage', 'show takes one ID', { mend: 'see --help' });
  return showDelivery(id, { config: values.config, json: values.json, whole: true }, io);
}

interface ShowOptions {
  readonly config: string | undefined;
  readonly json: boolean | undefined;
  /** With its headers and body. */
  readonly whole: boolean;
}

/** Says what a kept delivery was answered, and what it would do under the configuration of today. */
export async function showDelivery(id: string, { config, json, whole }: ShowOptions, io: CommandIo): Promise<number> {
  await using kept = await openKept(config, io);
  const delivery = await keptById(kept.store, id);
  const explained = await explainKept(delivery, kept.parts.config, io);
  if (json) {
    const { explanation, messages } = explained ?? {};
    const value = whole ? { delivery, explanation, messages } : explanation;
    io.stdout(`${JSON.stringify(value ?? {}, null, 2)}\n`);
    return EXIT.ok;
  }
  io.stdout(answered(delivery));
  if (whole) io.stdout(asSent(delivery));
  io.stdout(explained ? `\nToday:\n${describeExplained(explained)}` : `\n${notWhole(delivery)}\n`);
  return EXIT.ok;
}

/** Undefined where too little of it was kept to be read again. */
async function explainKept(
  delivery: KeptDelivery,
  config: Config,
  io: CommandIo,
): Promise<ExplainedDelivery | undefined> {
  const adapter = adapterOf(delivery.sender);
  if (!adapter || !delivery.whole) return undefined;
  const source = config.sources.find((one) => one.id === delivery.source);
  const assumption = source ? assumedSource(source, config) : readAssumption({}, adapter);
  const { method, headers, query } = delivery;
  const request = { ...NO_REQUEST, method, headers, query };
  return explainDelivery(adapter, request, keptBody(delivery), assumption, {
    // What proved it was not kept, so that there is nothing to fetch for it.
    outbound: { get: () => Promise.reject(new AppError('internal', 'nothing is fetched for a kept delivery')) },
    now: () => io.now(),
  });
}

/** Why it can be looked at only. */
export function notWhole({ bytes }: KeptDelivery): string {
  return bytes === undefined
    ? 'its body was over the limit of its sender and was not read'
    : `its body was cut: it had ${bytes} bytes`;
}

function answered({
  id,
  at,
  source,
  sender,
  status,
  result,
  reason,
  message,
  enqueued,
  skipped,
}: KeptDelivery): string {
  const why = reason === undefined ? '' : `, ${reason}: ${message ?? ''}`;
  return [
    `${id}  ${at}  ${source} (${sender})`,
    `Then: answer ${status}, ${result}${why}; ${enqueued} enqueued, ${skipped} skipped`,
    '',
  ].join('\n');
}

function asSent(delivery: KeptDelivery): string {
  const { method, headers, query, body } = delivery;
  const parameters = Object.entries(query).map(([name, value]) => `  ?${name}=${value}`);
  const lines = Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`);
  const text = body.encoding === 'utf8' ? printable(body.text) : `(base64) ${body.text}`;
  return `\n  ${method}\n${[...parameters, ...lines].join('\n')}\n\n${text}\n`;
}

/** Strangers write it: what moves a cursor or turns text around is shown as what it is. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
