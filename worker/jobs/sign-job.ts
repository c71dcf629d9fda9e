import { readyStatement } from '#engine/ready-statement.ts';
import { resolveSubject } from '#engine/resolve.ts';
import type { WorkContext } from '#events/work-events.ts';
import { provenTag } from '#jobs/announced.ts';
import { askGate } from '#jobs/gate.ts';
import type { ArmedRule } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { DoneReport } from '#jobs/job-report.ts';
import { ledgerImage } from '#jobs/observe.ts';
import { type AllowedStatement, refuseStatement, signBatch } from '#jobs/sign-batch.ts';
import { createStopwatch } from '#jobs/stopwatch.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { entryFor, type HandedIn } from '#model/handed-in.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { ImageJob } from '#model/job.ts';
import { chooseRule } from '#model/rule.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';
import type { Subject } from '#model/subject.ts';

type Pinned = ImageRef & { readonly digest: Digest };

/**
 * Signs what was handed in for an image, each statement under the rule that holds for it. The door asked the same before;
 * here it is asked of what the registry says now, and it is this answer that counts. What is refused is told and dropped.
 * What one rule lets one signer sign is attached together, in one write of its location.
 */
export async function signJob(
  job: ImageJob,
  image: ImageRef,
  ports: JobPorts,
  context: JobContext,
): Promise<readonly DoneReport[]> {
  const { digest } = image;
  if (digest === undefined) throw new AppError('job-malformed', 'a job that signs names no digest', { field: 'image' });
  const name = ledgerImage(image, digest);
  const reports: DoneReport[] = [];
  const allowed: AllowedStatement[] = [];
  const resolve = resolvedOnce(ports, context);
  let failure: unknown;
  /** One that cannot be signed now must not keep the others waiting; it stays for the next run. */
  async function each(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      failure = error;
      context.signal.throwIfAborted();
    }
  }
  for (const id of await ports.handedIn.list(name)) {
    await each(async () => {
      const handedIn = await ports.handedIn.get(name, id);
      const judged = handedIn && (await judge(job, { ...image, digest }, { id, handedIn }, resolve, ports, context));
      if (judged && 'wish' in judged) {
        allowed.push(judged);
        return;
      }
      if (judged) reports.push(judged);
      await ports.handedIn.drop(name, id);
    });
  }
  async function sign(batch: readonly AllowedStatement[]): Promise<void> {
    const signed = await signBatch(batch, ports, context);
    if (signed === 'one-is-bad') {
      for (const one of batch) await each(() => sign([one]));
      return;
    }
    reports.push(...signed);
    for (const { id } of batch) await ports.handedIn.drop(name, id);
  }
  for (const batch of batches(allowed)) await each(() => sign(batch));
  if (failure !== undefined) throw failure;
  return reports;
}

async function judge(
  job: ImageJob,
  asked: Pinned,
  { id, handedIn }: { readonly id: string; readonly handedIn: HandedIn },
  resolve: (image: Pinned) => Promise<Subject>,
  ports: JobPorts,
  context: JobContext,
): Promise<AllowedStatement | DoneReport> {
  const watch = createStopwatch(ports.now);
  const { source, actor, receivedAt, traceparent } = handedIn;
  const tag = await provenTag({ source, tag: handedIn.image.tag, unproven: true }, asked, handedIn, ports, context);
  if (tag instanceof AppError) throw tag;
  const { registry, repository, digest } = asked;
  const image = { registry, repository, digest, ...(tag === undefined ? {} : { tag }) };
  const { rule, missed } = chooseRule(ports.installation.rules, image);
  const work: WorkContext = {
    image: ledgerImage(image, digest),
    rule: rule?.name ?? '(none)',
    source: ports.installation.source,
    job: { ...job, image, source, actor, receivedAt, traceparent },
    now: ports.now(),
  };
  const refuse = (refused: SigningRefusal) => refuseStatement({ id, work, digest, took: watch.took() }, refused, ports);
  if (!rule) return await refuse({ reason: 'rule', why: missed[0]?.why ?? 'no rule is configured' });
  const entry = entryFor(rule, handedIn.predicateType, handedIn.signer);
  if ('refused' in entry) return await refuse(entry.refused);
  const armed = ports.installation.armed(rule);
  const subject = await resolve(image);
  const when = {
    source,
    receivedAt,
    cause: job.cause,
    ...(actor === undefined ? {} : { actor }),
    ...(tag === undefined ? {} : { tag }),
  };
  const { refused } = await watch.time('gate', () => askGate(armed, subject, when, ports, context));
  if (refused) return await refuse(refused);
  const payload = Buffer.from(handedIn.statement, 'base64');
  const wish = { ...wishOf(armed, entry), ready: readyStatement(digest, payload, entry.replace ?? true) };
  return { id, work, digest, armed, subject, wish, took: watch.took() };
}

/** Reads the image once under each name of it. */
function resolvedOnce({ engine }: JobPorts, { signal }: JobContext): (image: Pinned) => Promise<Subject> {
  const subjects = new Map<string | undefined, Promise<Subject>>();
  return (image) => {
    const known = subjects.get(image.tag) ?? resolveSubject(engine.registries.target(image.registry), image, signal);
    subjects.set(image.tag, known);
    return known;
  };
}

/**
 * What goes into one write: of one rule and signer, so that a signer that fails keeps no other one waiting, and each type
 * once, since a later statement may take the place of an earlier one.
 */
function batches(allowed: readonly AllowedStatement[]): readonly (readonly AllowedStatement[])[] {
  const found = new Map<string, AllowedStatement[]>();
  for (const each of allowed.toSorted(byArrival)) {
    const { wish, work } = each;
    const who = JSON.stringify([work.rule, work.job.image.tag, wish.identity.signer.id]);
    let round = 0;
    const key = () => `${who} ${round}`;
    while (found.get(key())?.some((other) => other.wish.predicateType === wish.predicateType)) round += 1;
    found.set(key(), [...(found.get(key()) ?? []), each]);
  }
  return [...found.values()];
}

function byArrival(a: AllowedStatement, b: AllowedStatement): number {
  return Date.parse(a.work.job.receivedAt) - Date.parse(b.work.job.receivedAt);
}

function wishOf({ handedIn, rule }: ArmedRule, entry: unknown) {
  const found = handedIn.find((each) => each.entry === entry);
  if (found) return found.wish;
  throw new AppError('internal', `an entry of rule ${rule.name} was not put in place`);
}
