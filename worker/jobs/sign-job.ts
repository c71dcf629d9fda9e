import { attestImage } from '#engine/attest.ts';
import { readyStatement } from '#engine/ready-statement.ts';
import { resolveSubject } from '#engine/resolve.ts';
import type { SettledEvidence } from '#engine/settle.ts';
import { signingRefused, type WorkContext } from '#events/work-events.ts';
import { provenTag } from '#jobs/announced.ts';
import { askGate } from '#jobs/gate.ts';
import type { ArmedRule } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { DoneReport } from '#jobs/job-report.ts';
import { ledgerImage, observeImage } from '#jobs/observe.ts';
import { createStopwatch } from '#jobs/stopwatch.ts';
import { tellEvidence } from '#jobs/told.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { entryFor, type HandedIn } from '#model/handed-in.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { ImageJob } from '#model/job.ts';
import { chooseRule } from '#model/rule.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';

type Pinned = ImageRef & { readonly digest: Digest };

/**
 * Signs what was handed in for an image, each statement under the rule that holds for it. The door asked the same before;
 * here it is asked of what the registry says now, and it is this answer that counts. What is refused is told and dropped.
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
  let failure: unknown;
  for (const id of await ports.handedIn.list(name)) {
    try {
      const handedIn = await ports.handedIn.get(name, id);
      if (handedIn) reports.push(await signOne(job, { ...image, digest }, handedIn, id, ports, context));
      await ports.handedIn.drop(name, id);
    } catch (error) {
      // One that cannot be signed now must not keep the others waiting; it stays for the next run.
      failure = error;
      context.signal.throwIfAborted();
    }
  }
  if (failure !== undefined) throw failure;
  return reports;
}

async function signOne(
  job: ImageJob,
  asked: Pinned,
  handedIn: HandedIn,
  id: string,
  ports: JobPorts,
  context: JobContext,
): Promise<DoneReport> {
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
  const refuse = async (refused: SigningRefusal): Promise<DoneReport> => {
    await ports.outbox.append(work.image, signingRefused(work, refused, id));
    return doneReport(work, digest, { refused, took: watch.took() });
  };
  if (!rule) return refuse({ reason: 'rule', why: missed[0]?.why ?? 'no rule is configured' });
  const entry = entryFor(rule, handedIn.predicateType, handedIn.signer);
  if ('refused' in entry) return refuse(entry.refused);
  const armed = ports.installation.armed(rule);
  const subject = await resolveSubject(ports.engine.registries.target(registry), image, context.signal);
  const when = {
    source,
    receivedAt,
    cause: job.cause,
    ...(actor === undefined ? {} : { actor }),
    ...(tag === undefined ? {} : { tag }),
  };
  const { refused } = await watch.time('gate', () => askGate(armed, subject, when, ports, context));
  if (refused) return refuse(refused);
  const payload = Buffer.from(handedIn.statement, 'base64');
  const wish = { ...wishOf(armed, entry), ready: readyStatement(digest, payload, entry.replace ?? true) };
  const settled = await watch.time('attest', async () => {
    const request = { subject, wishes: [wish], maySign: true, mayRestore: false, force: false, signal: context.signal };
    try {
      return await attestImage(request, ports.engine);
    } catch (error) {
      if (error instanceof AppError && error.code === 'statement-refused') return error;
      throw error;
    }
  });
  if (settled instanceof AppError) return refuse({ reason: 'statement', why: settled.message });
  await tellEvidence(work, settled.evidence, ports);
  const after = await watch.time('verify', () => observeImage(image, digest, armed.policies, ports, context));
  return doneReport(work, digest, { evidence: settled.evidence, ...after, took: watch.took() });
}

function wishOf({ handedIn, rule }: ArmedRule, entry: unknown) {
  const found = handedIn.find((each) => each.entry === entry);
  if (found) return found.wish;
  throw new AppError('internal', `an entry of rule ${rule.name} was not put in place`);
}

interface Parts extends Partial<Pick<DoneReport, 'verdicts' | 'transitions' | 'refused'>> {
  readonly evidence?: readonly SettledEvidence[];
  readonly took: DoneReport['took'];
}

function doneReport({ rule }: WorkContext, digest: Digest, parts: Parts): DoneReport {
  const { evidence = [], verdicts = [], transitions = [], refused, took } = parts;
  return {
    outcome: 'done',
    rule,
    digest,
    evidence,
    packages: new Map(),
    times: [],
    ...(refused ? { refused } : {}),
    verdicts,
    transitions,
    took,
  };
}
