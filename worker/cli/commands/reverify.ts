import { type CommandIo, EXIT } from '#cli/command.ts';
import { parseFlags, showHelp } from '#cli/flags.ts';
import { configFile, loadParts } from '#cli/run-processes.ts';
import { policyIndex } from '#compose/policy-index.ts';
import { createRedisLedger } from '#ledger/redis-ledger.ts';
import { AppError } from '#model/errors.ts';
import { formatImageRef, parseImageRef } from '#model/image-ref.ts';
import { createJobQueues } from '#queue/queues.ts';
import { enqueueDue } from '#reconcile/due.ts';

const USAGE = `
Usage: attestry reverify [IMAGE@DIGEST] [--policy ID] [--config FILE] [--json]

Makes known images due for re-verification now: one image, those under one policy, or all.

  --policy ID     configured id or uri of a policy
  --config FILE   default: $ATTESTRY_CONFIG, else attestry.yaml
  --json          print the numbers as JSON

Exit: 0 enqueued, 2 could not, 64 usage.
`;

const PAGE = 200;

export async function reverifyCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, { config: { type: 'string' }, policy: { type: 'string' } });
  if (values.help) return showHelp(io, USAGE);
  if (positionals.length > 1) throw new AppError('usage', 'one image only', { mend: 'see --help' });
  const image = positionals[0] === undefined ? undefined : imageName(positionals[0]);
  const parts = await loadParts(configFile(values.config, io), 'reverify', 'none', io);
  const policyUri = values.policy === undefined ? undefined : await uriOf(values.policy, parts);
  await using connection = await parts.connect('store');
  const { prefix } = parts.config.redis;
  await using queues = createJobQueues({ connection, prefix });
  const ledger = createRedisLedger(connection.client, { prefix });
  const filter = { ...(image === undefined ? {} : { image }), ...(policyUri === undefined ? {} : { policyUri }) };
  const due = await ledger.makeDue(filter, io.now());
  let jobs = 0;
  for (let items = PAGE; items === PAGE; ) {
    const options = { ledger, queues, now: io.now(), limit: PAGE, traceparent: () => parts.traceparent() };
    const enqueued = await enqueueDue({ ...options, cause: 'demand' });
    items = enqueued.items;
    jobs += enqueued.jobs;
  }
  io.stdout(values.json ? `${JSON.stringify({ due, jobs })}\n` : `${due} verdicts due, ${jobs} jobs enqueued\n`);
  return EXIT.ok;
}

/** How the ledger names it: by digest. */
function imageName(text: string): string {
  const { registry, repository, digest } = parseImageRef(text);
  if (digest !== undefined) return formatImageRef({ registry, repository, digest });
  throw new AppError('usage', `${text} has no digest`, { mend: 'name the image as registry/repository@sha256:…' });
}

async function uriOf(policy: string, parts: Awaited<ReturnType<typeof loadParts>>): Promise<string> {
  const uri = (await policyIndex(parts.config.policies, parts.readFile)).get(policy);
  if (uri !== undefined) return uri;
  throw new AppError('config-invalid', `there is no policy "${policy}"`, { field: '--policy' });
}
