import { AppError, toAppError } from '#model/errors.ts';
import { formatImageRef } from '#model/image-ref.ts';
import { type ImageJob, JOB_VERSION } from '#model/job.ts';
import {
  type Answer,
  answerTo,
  type Outcome,
  skippedOutcome,
  unauthenticated,
  unavailable,
  unknownSource,
} from '#producer/intake/answer.ts';
import { authenticateNobody } from '#producer/intake/authenticate.ts';
import { createAuthenticator } from '#producer/intake/authenticate-delivery.ts';
import {
  type Candidate,
  candidate,
  type Decision,
  type Facts,
  type RemovedImage,
  type Skip,
  settle,
} from '#producer/intake/decide.ts';
import { inFlight } from '#producer/intake/in-flight.ts';
import { IN_FLIGHT } from '#producer/intake/limits.ts';
import type { DeliveryResult, Observe } from '#producer/intake/observation.ts';
import type { IntakePorts, PushedEvidence } from '#producer/intake/ports.ts';
import { rateDelayMs } from '#producer/intake/rate-delay.ts';
import { shown } from '#producer/intake/shown.ts';
import type { Source } from '#producer/intake/source.ts';
import { isTrial, trialAnswer } from '#producer/intake/trial.ts';
import type { Delivery, DeliveryItem } from '#producer/webhooks/adapter.ts';

/** A request as it came: bounded, nothing believed yet. */
export interface ReceivedRequest extends Omit<Delivery, 'body'> {
  readonly body: Uint8Array | 'too-large';
  /** W3C Trace Context that the jobs of this request carry on. */
  readonly traceparent: string;
}

export interface Intake {
  /** Never throws: whatever fails becomes an answer that makes the sender try again. */
  receive(source: Source | undefined, request: ReceivedRequest): Promise<Answer>;
  /**
   * A delivery that was kept, once more: believed as far as its source's credential says, without looking at it again.
   * @throws AppError `redis-unavailable` and whatever else `receive` answers with a request to try again.
   */
  replay(source: Source, request: ReceivedRequest): Promise<Answer>;
  /**
   * A message of a queue that the source's configuration names, which vouches for who wrote it. When it resolves, what
   * is to be done is in Redis.
   * @throws AppError as `replay`: the message must not be acknowledged.
   */
  take(source: Source, request: ReceivedRequest): Promise<Answer>;
}

/** Registries tell of a push just before it can be seen, and of several in a row: one look does for all. */
const EVIDENCE_SETTLES_MS = 1000;

/** Some tell of a removal before it is done. */
const REMOVAL_SETTLES_MS = 1000;

export interface IntakeParts {
  readonly ports: IntakePorts;
  readonly now: () => Date;
  readonly observe: Observe;
}

/**
 * The single path of every push: authenticate, read, judge, enqueue, remember, answer (the size was limited before).
 * Nothing here asks a registry. An answer of success means that the jobs are in Redis.
 */
export function createIntake({ ports, now, observe }: IntakeParts): Intake {
  const authenticator = createAuthenticator(ports.outbound, now);
  const believed = (source: Source, request: ReceivedRequest) => accept(source, request, undefined);
  return { receive, replay: believed, take: believed };

  async function receive(source: Source | undefined, request: ReceivedRequest): Promise<Answer> {
    // Only who asks for consent has a reason to send anything but POST.
    if (source === undefined || (request.method === 'OPTIONS' && !source.adapter.asksConsent)) {
      authenticateNobody(request.headers);
      observe({ kind: 'delivery', source: undefined, result: 'unauthenticated' });
      return unknownSource();
    }
    try {
      return await admit(source, request);
    } catch (error) {
      // A rejected command may still have arrived: the sender repeats it, and the queue knows it as a duplicate.
      const { code, message, retryAfterMs } = toAppError(error);
      observe({ kind: 'unavailable', source: source.id, code, message });
      observe({ kind: 'delivery', source: source.id, result: 'unavailable' });
      return unavailable(retryAfterMs);
    }
  }

  async function admit(source: Source, request: ReceivedRequest): Promise<Answer> {
    const authentication = await authenticator.authenticate(source, request);
    if (!authentication.ok) {
      observe({ kind: 'unauthenticated', source: source.id });
      observe({ kind: 'delivery', source: source.id, result: 'unauthenticated' });
      return unauthenticated(source.adapter.answers);
    }
    return accept(source, request, authentication.bearer);
  }

  async function accept(source: Source, request: ReceivedRequest, bearer: string | undefined): Promise<Answer> {
    const found = itemsOf(source, request).map((item) => candidate(item, source.binding));
    const decisions = settle(found, source.binding, await factsOf(source, found));
    if (isTrial(request.headers)) {
      observe({ kind: 'tried', source: source.id, items: decisions.length });
      return trialAnswer(source.adapter.answers, decisions);
    }
    // One after another: the order of these pushes tells what came over what.
    for (const decision of decisions) {
      if ('evidence' in decision && decision.evidence) await watchEvidence(source, decision.evidence, request);
    }
    await inFlight(decisions, IN_FLIGHT, async (decision) => {
      if ('removed' in decision && decision.removed) await lookFor(source, decision.removed, request);
    });
    const outcomes = await inFlight(decisions, IN_FLIGHT, (decision) => settleOne(source, decision, request, bearer));
    const answer = answerTo(source.adapter.answers, outcomes);
    observe({ kind: 'delivery', source: source.id, result: resultOf(outcomes, answer) });
    return answer;
  }

  async function factsOf(source: Source, found: readonly (Candidate | Skip)[]): Promise<Facts> {
    const own = new Set<string>();
    const seen = new Set<string>();
    await inFlight(found, IN_FLIGHT, async (one) => {
      if ('skip' in one) return;
      const { registry, repository, digest } = one.image;
      const path = `${registry}/${repository}`;
      const [isOwn, wasSeen] = await Promise.all([
        digest !== undefined && ports.ownPushes.has(path, digest),
        one.deliveryKey !== undefined && numbersEvents(source) && ports.deliveries.seen(source.id, one.deliveryKey),
      ]);
      if (isOwn) own.add(`${path}@${digest}`);
      if (wasSeen && one.deliveryKey !== undefined) seen.add(one.deliveryKey);
    });
    return { ownPush: (path, digest) => own.has(`${path}@${digest}`), seen: (key) => seen.has(key) };
  }

  async function settleOne(
    source: Source,
    decision: Decision,
    request: ReceivedRequest,
    bearer: string | undefined,
  ): Promise<Outcome> {
    if (!('enqueue' in decision || 'again' in decision)) {
      // Before the answer: a sender that is told of success never asks for the confirmation again.
      if (decision.skipped.confirm) await ports.outbound.get(decision.skipped.confirm);
      return skipped(source, decision.skipped);
    }
    const wanted = 'enqueue' in decision ? decision.enqueue : decision.again;
    try {
      // Also where the image is in the request already: one job does for both, and must know of both, since which of
      // them a rule allows is only known when it runs.
      const outcome = await enqueue(source, wanted, request.traceparent, bearer);
      return 'again' in decision ? skipped(source, decision.skipped) : outcome;
    } catch (error) {
      // What no worker could ever read must not make a sender repeat it for ever.
      if (!(error instanceof AppError && error.code === 'job-malformed')) throw error;
      return skipped(source, { from: wanted.from, skip: 'malformed', message: error.message });
    }
  }

  function skipped(source: Source, skip: Skip): Outcome {
    observe({ kind: 'skipped', source: source.id, from: skip.from, reason: skip.skip, message: skip.message });
    return skippedOutcome(skip);
  }

  async function enqueue(
    source: Source,
    { from, image, event, deliveryKey }: Candidate,
    traceparent: string,
    bearer: string | undefined,
  ): Promise<Outcome> {
    const delayMs = await delayOf(source, `${image.registry}/${image.repository}`);
    const actor = believedActor(source, event.actor, bearer);
    const job: ImageJob = {
      v: JOB_VERSION,
      kind: 'attest',
      image,
      source: source.id,
      ...(actor === undefined ? {} : { actor }),
      ...(isRegistrysWord(source) ? {} : { unproven: true }),
      cause: source.cause,
      traceparent,
      receivedAt: now().toISOString(),
    };
    const { id, state } = await ports.queue.enqueueImage('push', job, delayMs > 0 ? { delayMs } : {});
    // The job is in Redis, which is all that an acknowledgement promises. A redelivery that this memory misses finds
    // the job in the queue, or makes one that finds its evidence present.
    if (deliveryKey !== undefined && numbersEvents(source))
      await ports.deliveries.remember(source.id, deliveryKey).catch(() => {});
    const reference = formatImageRef(image);
    const lagMs = Math.max(now().getTime() - Date.parse(event.timestamp ?? ''), 0);
    const lag = Number.isFinite(lagMs) ? { lagMs } : {};
    observe({ kind: 'enqueued', source: source.id, image: reference, job: id, state, ...lag });
    return { from, status: state, job: id, image: reference, ...(delayMs > 0 ? { delayedMs: delayMs } : {}) };
  }

  /** Only the registry itself is believed: by an event that somebody made up, old evidence would be listed again. */
  async function watchEvidence(
    source: Source,
    pushed: PushedEvidence,
    { traceparent }: Pick<ReceivedRequest, 'traceparent'>,
  ): Promise<void> {
    if (!isRegistrysWord(source) || !(await ports.evidence.pushed(pushed))) return;
    const job: ImageJob = {
      v: JOB_VERSION,
      kind: 'mend',
      image: pushed.location,
      source: source.id,
      cause: 'evidence-pushed',
      traceparent,
      receivedAt: now().toISOString(),
    };
    await ports.queue.enqueueImage('cause', job, { delayMs: EVIDENCE_SETTLES_MS });
  }

  /** What a sender says was removed is a question to the registry; a door that is open may ask it as well. */
  async function lookFor(
    source: Source,
    { image, actor }: RemovedImage,
    { traceparent }: Pick<ReceivedRequest, 'traceparent'>,
  ): Promise<void> {
    const believed = believedActor(source, actor, undefined);
    const job: ImageJob = {
      v: JOB_VERSION,
      kind: 'look',
      image,
      source: source.id,
      ...(believed === undefined ? {} : { actor: believed }),
      ...(isRegistrysWord(source) ? {} : { unproven: true }),
      cause: 'removed',
      traceparent,
      receivedAt: now().toISOString(),
    };
    // Counted apart from pushes: what is made up here must delay none of those.
    const count = await ports.rate.count(`removed from ${image.registry}/${image.repository}`);
    const delayMs = REMOVAL_SETTLES_MS + rateDelayMs(count, source.ratePerHour);
    await ports.queue.enqueueImage('cause', job, { delayMs });
  }

  async function delayOf(source: Source, repository: string): Promise<number> {
    const count = await ports.rate.count(repository);
    const delayMs = rateDelayMs(count, source.ratePerHour);
    if (delayMs > 0) {
      observe({ kind: 'rate-exceeded', source: source.id, repository, count, limit: source.ratePerHour, delayMs });
    }
    return delayMs;
  }
}

/**
 * Who pushed, as far as it is known. A name that would have to be cleaned is nobody's: cleaned, it might be that of
 * somebody whom a rule allows.
 */
function believedActor(
  { credential }: Source,
  actor: string | undefined,
  bearer: string | undefined,
): string | undefined {
  if (bearer !== undefined) return bearer;
  return credential.kind !== 'none' && actor !== undefined && shown(actor) === actor ? actor : undefined;
}

/** Whether tag and digest were told together by the registry itself, and not by whoever could send a request. */
function isRegistrysWord({ adapter, credential }: Source): boolean {
  return adapter.firstHand && credential.kind !== 'none';
}

/**
 * Whether the id of an event is its sender's word. Through an open door a stranger could use it first, where it can be
 * foretold (the second of a push), and the true push would pass for a repetition.
 */
function numbersEvents({ credential }: Source): boolean {
  return credential.kind !== 'none';
}

function itemsOf(source: Source, request: ReceivedRequest): readonly DeliveryItem[] {
  const { body } = request;
  if (body !== 'too-large') return source.adapter.events({ ...request, body }, source.settings);
  return [{ from: 'body', skip: 'too-large', message: `the body is over ${source.adapter.maxBodyBytes} bytes` }];
}

function resultOf(outcomes: readonly Outcome[], answer: Answer): DeliveryResult {
  if (outcomes.some(({ status }) => status !== 'skipped')) return 'accepted';
  return answer.status < 400 && answer.body.reason === undefined ? 'skipped' : 'rejected';
}
