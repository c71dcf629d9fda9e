import { lacksRecorded } from '#engine/mend.ts';
import { resolveSubject } from '#engine/resolve.ts';
import { evidenceRepository } from '#engine/wish-location.ts';
import { alertResolved } from '#events/verdict-events.ts';
import { askGate } from '#jobs/gate.ts';
import type { ArmedRule } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { JobReport } from '#jobs/job-report.ts';
import { knownNames, policiesOf } from '#jobs/known-names.ts';
import { restores } from '#jobs/mend-job.ts';
import { ledgerImage, type Observed, observeImage } from '#jobs/observe.ts';
import { recordDeleted } from '#jobs/record-removal.ts';
import { createStopwatch } from '#jobs/stopwatch.ts';
import { settleSummaries } from '#jobs/summaries.ts';
import type { Digest } from '#model/digest.ts';
import type { ImageRef } from '#model/image-ref.ts';
import { type ImageJob, JOB_VERSION } from '#model/job.ts';
import type { StateRecord } from '#model/ledger.ts';
import { chooseRule } from '#model/rule.ts';

/** An image that was not there for this long is taken for deleted: a registry that is restored has it back sooner. */
const GONE_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Judges a known image again, under each name by which it is known. Where its evidence lapsed and the rule says so, a
 * job to restore it is enqueued once the lapse stands in the ledger and in the outbox.
 */
export async function verifyJob(
  job: ImageJob,
  asked: ImageRef,
  ports: JobPorts,
  context: JobContext,
): Promise<JobReport> {
  const watch = createStopwatch(ports.now);
  const digest = asked.digest ?? (await resolveTag(asked, ports, context));
  const image = { ...asked, digest };
  const states = await ports.ledger.latest(ledgerImage(image, digest));
  const judged: (Observed & { readonly armed: ArmedRule })[] = [];
  for (const named of knownNames(image, states)) {
    const { rule } = chooseRule(ports.installation.rules, named);
    if (!rule) continue;
    const armed = ports.installation.armed(rule);
    const policies = policiesOf(armed, named, image, states);
    const observed = await watch.time('verify', () => observeImage(named, digest, policies, ports, context));
    judged.push({ ...observed, armed });
    await summarise(job, named, armed, observed, ports, context);
    const lapsed = observed.verdicts.some(({ outcome }) => outcome === 'fail');
    if (lapsed && rule.onLapse === 'attest') await ports.enqueue(restoreJob(job, named));
  }
  // Where something lapsed, the job that restores it lists the rest as well, and tells of it as of a lapse.
  const sound = judged.every(({ verdicts, failures }) => {
    return failures.length === 0 && verdicts.every(({ outcome }) => outcome !== 'fail');
  });
  if (sound) for (const { armed } of judged) await mendWhatIsLost(job, image, armed, ports, context);
  await forgetWhatIsOver(job, image, states, judged, ports);
  const [first] = judged;
  if (!first) return { outcome: 'no-rule', missed: chooseRule(ports.installation.rules, image).missed };
  return {
    outcome: 'done',
    rule: first.armed.rule.name,
    digest,
    evidence: [],
    packages: new Map(),
    times: [],
    verdicts: judged.flatMap(({ verdicts }) => verdicts),
    transitions: judged.flatMap(({ transitions }) => transitions),
    took: watch.took(),
  };
}

/** The summaries that the rule wants follow what was found now. */
async function summarise(
  job: ImageJob,
  image: ImageRef & { readonly digest?: Digest },
  armed: ArmedRule,
  { verdicts, gone }: Observed,
  ports: JobPorts,
  context: JobContext,
): Promise<void> {
  const told = verdicts.some(({ outcome }) => outcome !== 'error' && outcome !== 'skip');
  if (armed.summaries.length === 0 || gone || !told) return;
  const { registry, digest } = image;
  const subject = await resolveSubject(ports.engine.registries.target(registry), image, context.signal);
  const { source, receivedAt, cause } = job;
  const gate = await askGate(armed, subject, { source, receivedAt, cause }, ports, context);
  const name = ledgerImage(image, digest ?? subject.image.digest);
  const work = { image: name, rule: armed.rule.name, source: ports.installation.source, job, now: ports.now() };
  await settleSummaries({ subject, armed, verdicts, gate, work }, ports, context);
}

/** No policy names everything that we wrote: what another writer took off its list is found by our own record. */
async function mendWhatIsLost(
  job: ImageJob,
  image: ImageRef & { readonly digest: Digest },
  { wishes, handedIn, summaries }: ArmedRule,
  ports: JobPorts,
  { signal }: JobContext,
): Promise<void> {
  const { digest } = image;
  const wanted = [...wishes, ...[...handedIn, ...summaries].map(({ wish }) => wish)];
  const places = new Map(
    wanted.map((wish) => [wish.repository, evidenceRepository(image, wish, ports.engine.registries)]),
  );
  for (const place of places.values()) {
    const location = { ...place, digest };
    if (!(await lacksRecorded(location, ports.engine, restores(ports), signal))) continue;
    const { source, traceparent, receivedAt } = job;
    await ports.enqueue({
      v: JOB_VERSION,
      kind: 'mend',
      image: location,
      source,
      cause: 'lapse',
      traceparent,
      receivedAt,
    });
  }
}

async function resolveTag({ registry, repository, tag }: ImageRef, ports: JobPorts, { signal }: JobContext) {
  return (await ports.engine.registries.target(registry).resolve(repository, tag ?? 'latest', signal)).digest;
}

/** Policies that no rule names any more, and images that are gone: nobody would judge them, their alerts stayed open. */
async function forgetWhatIsOver(
  job: ImageJob,
  image: ImageRef & { readonly digest: Digest },
  states: readonly StateRecord[],
  judged: readonly Observed[],
  ports: JobPorts,
): Promise<void> {
  if (judged.some(({ gone }) => gone) && (await isOver(image, states, ports))) {
    await recordDeleted(image, { learnedBy: 'check', job }, ports);
    return;
  }
  const alive = new Set(judged.flatMap(({ verdicts }) => verdicts.map(({ policy }) => policy.uri)));
  for (const { policyUri, verdict } of states) {
    if (alive.has(policyUri)) continue;
    const name = ledgerImage(image, image.digest);
    // Told first: once it is forgotten nobody knows any more that there was an alert.
    if (verdict?.outcome === 'fail') {
      const ended = alertResolved({ image: name, policyUri }, { source: ports.installation.source, now: ports.now() });
      await ports.outbox.append(name, ended);
    }
    await ports.ledger.forget(name, ports.now(), policyUri);
  }
}

/** Missing for long enough, or seen to be deleted before: a check that was under way then wrote it down once more. */
async function isOver(
  image: ImageRef & { readonly digest: Digest },
  states: readonly StateRecord[],
  { ledger, now }: JobPorts,
): Promise<boolean> {
  const known = await ledger.removals(ledgerImage(image, image.digest));
  if (known.some(({ kind }) => kind === 'deleted')) return true;
  return states.some(({ couldNotCheck }) => {
    return couldNotCheck && now().getTime() - Date.parse(couldNotCheck.since) >= GONE_AFTER_MS;
  });
}

function restoreJob({ source, traceparent, receivedAt }: ImageJob, image: ImageRef): ImageJob {
  return { v: JOB_VERSION, kind: 'attest', image, source, cause: 'lapse', traceparent, receivedAt };
}
