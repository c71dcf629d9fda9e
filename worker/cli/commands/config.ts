import { parseArgs } from 'node:util';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { byPlace, checkConfig } from '#config/check.ts';
import { type ExplainedEvidence, type Explanation, explainImage } from '#config/explain.ts';
import { loadConfig } from '#config/load.ts';
import type { OutsideScope } from '#config/outside.ts';
import { formatProblem } from '#config/problem.ts';
import { AppError, toAppError } from '#model/errors.ts';
import { isMadeType } from '#model/evidence-type.ts';
import type { When } from '#model/rule.ts';
import { VERIFIER_TITLES } from '#model/verifier.ts';

export type ConfigCommandIo = Pick<CommandIo, 'stdout' | 'stderr' | 'readFile' | 'env' | 'now'>;

export const CONFIG_USAGE = `Usage:
  attestry config check [--config FILE] [--no-files] [--json]
  attestry config explain IMAGE [--config FILE] [--source ID] [--actor NAME] [--json]

check    reads the configuration and all that it names, and lists every problem with its place and mend.
explain  says which rule holds for an image and why, and what follows from it.

  --config FILE   default: $ATTESTRY_CONFIG, else attestry.yaml
  --no-files      do not look for the files and variables that the configuration names
  --source ID     explain: say whether a push of this source would be signed
  --actor NAME    explain: who pushed
  --json          print JSON
  --quiet         check: print problems only

Exit: 0 fine, 2 invalid or unreadable, 64 usage.
`;

const OPTIONS = {
  config: { type: 'string' },
  'no-files': { type: 'boolean' },
  source: { type: 'string' },
  actor: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** `attestry config check|explain`. Answers the exit code. */
export async function configCommand(args: readonly string[], io: ConfigCommandIo): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return usage(io, error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help) {
    io.stdout(CONFIG_USAGE);
    return EXIT.ok;
  }
  const [action, image, ...more] = positionals;
  const file = values.config ?? io.env.ATTESTRY_CONFIG ?? 'attestry.yaml';
  if (action === 'check' && image === undefined) {
    const output = values.json ? 'json' : values.quiet ? 'quiet' : 'text';
    return check(file, values['no-files'] ? 'none' : 'all', output, io);
  }
  if (action === 'explain' && image !== undefined && more.length === 0) {
    if (values.actor !== undefined && values.source === undefined) {
      return usage(io, '--actor is only believed together with --source');
    }
    const push = values.source === undefined ? undefined : pushOf(values.source, values.actor);
    return explain(file, image, push, values.json ?? false, io);
  }
  return usage(io, action === 'explain' ? 'explain takes one image' : 'say check, or explain IMAGE');
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
}

function usage(io: ConfigCommandIo, message: string): number {
  io.stderr(`attestry config: ${message}\n\n${CONFIG_USAGE}`);
  return EXIT.usage;
}

type Output = 'json' | 'quiet' | 'text';

async function check(file: string, scope: OutsideScope, output: Output, io: ConfigCommandIo): Promise<number> {
  const { config, drafted, problems, place } = await checkConfig(file, io, scope);
  const tried = drafted && scope === 'all' ? await (await loadTrial())(drafted, io) : [];
  const all = [...problems, ...tried.map(place)].sort(byPlace);
  const valid = all.every(({ severity }) => severity === 'warning');
  if (output === 'json') io.stdout(`${JSON.stringify({ file, valid, problems: all }, null, 2)}\n`);
  else for (const problem of all) io.stderr(`${formatProblem(file, problem)}\n`);
  if (config && valid && output === 'text') {
    const { rules, registries, policies, sources, sinks } = config;
    const counts = { registries, rules, policies, sources, sinks };
    const told = Object.entries(counts).map(([name, list]) => `${name} ${list.length}`);
    io.stdout(`${file} is valid (${told.join(', ')})\n`);
  }
  return valid ? EXIT.ok : EXIT.error;
}

/** Loaded only when it is needed: it brings signing and policies with it. */
async function loadTrial() {
  return (await import('#cli/config-trial.ts')).tryConfig;
}

function pushOf(source: string, actor: string | undefined) {
  return { source, ...(actor === undefined ? {} : { actor }) };
}

async function explain(
  file: string,
  image: string,
  push: ReturnType<typeof pushOf> | undefined,
  json: boolean,
  io: ConfigCommandIo,
): Promise<number> {
  try {
    const config = await loadConfig(file, io, 'none');
    const explanation = explainImage(config, image, push);
    io.stdout(json ? `${JSON.stringify(explanation, null, 2)}\n` : formatExplanation(explanation, push?.source));
    return EXIT.ok;
  } catch (thrown) {
    const error = toAppError(thrown);
    const mend = error instanceof AppError && error.mend !== undefined && error.code !== 'config-invalid';
    if (json) io.stdout(`${JSON.stringify({ error: { code: error.code, message: error.message } }, null, 2)}\n`);
    io.stderr(`attestry config: ${error.message}${mend ? `; ${error.mend}` : ''}\n`);
    return EXIT.error;
  }
}

function formatExplanation(explanation: Explanation, source: string | undefined): string {
  const { image, rule, missed, evidence, policies, when, unmet, onLapse } = explanation;
  const lines = [image, ...missed.map((miss) => `  not ${miss.rule}: ${miss.why}`)];
  if (rule === undefined)
    return `${[...lines, '  no rule holds: nothing is signed, nothing is verified'].join('\n')}\n`;
  lines.push(`  rule ${rule} holds`);
  for (const item of evidence) {
    const signer = `${item.signer} (${item.signerType}${item.certificate ? `, ${item.certificate}` : ''})`;
    lines.push(
      `  evidence ${item.type} as ${item.predicateType}${isMadeType(item.type) ? '' : ', when it is handed in'}`,
    );
    lines.push(`    signed by ${signer}; trusted by ${item.trust ?? "the signer's own chain"}`);
    for (const { from, signer: lifter } of item.import ?? []) {
      lines.push(`    or that of ${from} as it is, signed by ${lifter}`);
    }
    lines.push(`    ${item.layout} in ${item.location}${item.platforms ? '; on each platform image too' : ''}`);
    lines.push(...readerLines(item));
  }
  if (evidence.length === 0) lines.push('  no evidence is made');
  for (const policy of policies) {
    lines.push(`  policy ${policy.id}: ${policy.files.join(', ')}; every ${formatEvery(policy.everyMs)}`);
  }
  if (policies.length === 0) lines.push('  no policy judges it');
  if (when) lines.push(`  signed only when ${formatWhen(when)}`);
  if (source !== undefined)
    lines.push(
      unmet === undefined
        ? `  this push is signed${when?.builder ? ', when the image carries that' : ''}`
        : `  this push is not signed: ${unmet}`,
    );
  if (onLapse) lines.push(`  when own evidence lapses: ${onLapse}`);
  return `${lines.join('\n')}\n`;
}

/** Who reads it, who reads it when told how, and who does not, with the reason. */
function readerLines({ readers }: ExplainedEvidence): readonly string[] {
  const able = readers.flatMap((each) => {
    if (!each.readable) return [];
    return [`${VERIFIER_TITLES[each.verifier]}${each.how === undefined ? '' : ` (${each.how})`}`];
  });
  const unable = readers.flatMap((each) => {
    return each.readable ? [] : [`    not read by ${VERIFIER_TITLES[each.verifier]}: ${each.why}`];
  });
  return [...(able.length > 0 ? [`    read by ${able.join('; ')}`] : []), ...unable];
}

function formatWhen({ source, actor, tag, builder }: When): string {
  const told = Object.entries({ source, actor, tag }).flatMap(([key, patterns]) =>
    patterns ? [`${key} is ${patterns.join(' or ')}`] : [],
  );
  if (builder) told.push(`the image carries provenance of ${builder.builderId.join(' or ')} under ${builder.trust}`);
  return told.join(' and ');
}

function formatEvery(ms: number): string {
  const units: readonly [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
  ];
  const [size, unit] = units.find(([length]) => ms % length === 0) ?? [1000, 's'];
  return `${ms / size}${unit}`;
}
