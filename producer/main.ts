import type { AddressInfo } from 'node:net';
import { createDispatch, type Dispatch } from '#compose/dispatch.ts';
import { durableQueues } from '#compose/durable-queues.ts';
import { readEnvironmentProxy } from '#compose/environment.ts';
import { HAND_IN_READING } from '#compose/hand-in.ts';
import { createIntakeOutbound, outboundHosts } from '#compose/intake-outbound.ts';
import { policyIndex } from '#compose/policy-index.ts';
import { checkRedis, type ProcessParts } from '#compose/process-parts.ts';
import { startPullSources } from '#compose/pull-sources.ts';
import { createSinks } from '#compose/sinks.ts';
import { gaugeState } from '#compose/state-gauges.ts';
import { eventSource } from '#events/cloud-event.ts';
import { intakeUnauthenticated, rateExceeded } from '#events/watch-events.ts';
import { signingRefused } from '#events/work-events.ts';
import { createHttpClient } from '#http/undici-client.ts';
import { createRedisLedger } from '#ledger/redis-ledger.ts';
import { AppError } from '#model/errors.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import { createApp } from '#producer/app.ts';
import { apiSource, bearersOf } from '#producer/intake/api-source.ts';
import { createHearing } from '#producer/intake/hearing.ts';
import { createIntake } from '#producer/intake/intake.ts';
import { createDeliveryKeeper } from '#producer/intake/keep-delivery.ts';
import { KEPT_MEMORY_SHARE } from '#producer/intake/limits.ts';
import type { IntakeObservation } from '#producer/intake/observation.ts';
import { bindRegistries, boundRegistries, mountSource, type Source } from '#producer/intake/source.ts';
import { logObservation } from '#producer/log-observation.ts';
import { createDeadLetters } from '#queue/dead-letters.ts';
import { createJobQueues } from '#queue/queues.ts';
import { createDeliveryIds } from '#redis/delivery-ids.ts';
import { createEvidenceWatch } from '#redis/evidence-watch.ts';
import { createHandInAllowance } from '#redis/hand-in-allowance.ts';
import { createHandedIn } from '#redis/handed-in.ts';
import { createHeardSources } from '#redis/heard-sources.ts';
import { createKeptDeliveries } from '#redis/kept-deliveries.ts';
import { createMemoryGuard } from '#redis/memory-guard.ts';
import { createOwnPushes } from '#redis/own-pushes.ts';
import { createRateGuard } from '#redis/rate-guard.ts';
import { createMetrics, type Metrics } from '#telemetry/metrics.ts';

export interface RunningProducer extends AsyncDisposable {
  /** `http://host:port` of webhooks and API. */
  readonly url: string;
}

/**
 * Starts the producer: a source whose credential is missing stops the start, rather than be an open or a dead door.
 * @param beside the worker of the same process: what is counted is then told in one place.
 * @throws AppError `config-invalid`, `redis-unavailable`, `redis-unsuitable`.
 */
export async function startProducer(
  parts: ProcessParts,
  beside?: { readonly metrics: Metrics },
): Promise<RunningProducer> {
  const { config, log, now, secrets } = parts;
  const { prefix } = config.redis;
  const stack = new AsyncDisposableStack();
  try {
    const registries = boundRegistries(config.registries);
    const sources = config.sources.map((source) => mountSource(source, registries, secrets));
    const { tokens, operators } = config.producer.api;
    const operatorBearers = bearersOf(operators, 'producer.api.operators', secrets);
    const bearers = [...bearersOf(tokens, 'producer.api.tokens', secrets), ...operatorBearers];
    const connection = stack.use(await parts.connect('producer'));
    await checkRedis(connection, parts);
    const redis = connection.client;
    const outside = createHttpClient({
      allowedHosts: outboundHosts(sources.map(({ credential }) => credential)),
      userAgent: `${TOOL_NAME}/${TOOL_VERSION}`,
      ...readEnvironmentProxy(parts.env),
    });
    stack.defer(() => outside.close());
    const memory = createMemoryGuard(connection);
    const queued = stack.use(createJobQueues({ connection, prefix, memory }));
    const queues = await durableQueues(queued, connection, parts, stack);
    const ledger = createRedisLedger(redis, { prefix, ...config.ledger });
    const deadLetters = stack.use(createDeadLetters({ connection, prefix, queues }));
    const sinks = createSinks(parts, connection);
    for (const sink of sinks) stack.use(sink);
    const metrics = beside?.metrics ?? createMetrics({ processMetrics: true });
    if (!beside) gaugeState(metrics, queues, ledger, now);
    const count = intakeTeller(parts, metrics, createDispatch(sinks, queues));
    const hear = createHearing(createHeardSources(redis, { prefix }).heard, now);
    const tell = (observation: IntakeObservation) => {
      count(observation);
      hear(observation);
    };
    const policies = await policyIndex(config.policies, parts.readFile);
    const observed = (observation: IntakeObservation) => {
      logObservation(log, observation);
      tell(observation);
    };
    const { keep, most, size, body, for: ageMs } = config.producer.deliveries;
    const roomToKeep = createMemoryGuard(connection, { limit: KEPT_MEMORY_SHARE });
    const keeper = stack.use(
      createDeliveryKeeper({
        settings: { what: keep, most, bytes: size, bodyBytes: body, ageMs },
        store: createKeptDeliveries(redis, { prefix }),
        requireRoom: () => roomToKeep.requireRoom(),
        now,
        failed: (error) => log.warn({ err: error }, 'delivery not kept'),
      }),
    );
    const ports = {
      queue: queues,
      ownPushes: createOwnPushes(redis, { prefix }),
      evidence: createEvidenceWatch(redis, { prefix }),
      deliveries: createDeliveryIds(redis, { prefix }),
      rate: createRateGuard(redis, { prefix }),
      outbound: createIntakeOutbound(outside),
    };
    const isPulled = ({ credential }: Source) => credential.kind === 'pulled';
    const app = createApp({
      sources: sources.filter((source) => !isPulled(source)),
      keep: keeper.keep,
      ...(bearers.length > 0 ? { api: apiSource(bearers, registries) } : {}),
      ...(operatorBearers.length > 0
        ? {
            admin: {
              ledger,
              queue: queues,
              deadLetters,
              registryOf: bindRegistries(registries).registryOf,
              policyUri: (idOrUri: string) => policies.get(idOrUri),
              now,
              traceparent: parts.traceparent,
            },
          }
        : {}),
      handIn: {
        ...HAND_IN_READING,
        rules: config.rules,
        registryOf: bindRegistries(registries).registryOf,
        store: createHandedIn(redis, { prefix }),
        queue: queues,
        requireRoom: () => memory.requireRoom(),
        spend: createHandInAllowance(redis, { prefix, bytes: config.producer.api.handInPerHour }).spend,
        refused: ({ image, rule, job, ...refusal }) =>
          observed({ kind: 'signing-refused', source: job.source, image, rule, job, refusal }),
        now,
      },
      operators: operatorBearers,
      ports,
      checks: [
        { name: 'redis', check: async () => void (await redis.ping()) },
        { name: 'queue', check: () => memory.requireRoom() },
      ],
      metrics: () => metrics.render(),
      log,
      observe: tell,
      now,
      requestId: () => Buffer.from(parts.randomBytes(9)).toString('base64url'),
      traceparent: parts.traceparent,
    });
    stack.defer(() => app.close());
    const { host, port } = config.producer.listen;
    await listen(app, host, port);
    const { port: bound } = app.server.address() as AddressInfo;
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
    const intake = createIntake({ ports, now, observe: observed });
    const { take } = intake;
    const ready = () => memory.requireRoom();
    stack.use(startPullSources(parts, sources.filter(isPulled), metrics, { take, ready, keep: keeper.keep }));
    log.info({ url, sources: sources.map(({ id }) => id) }, 'producer started');
    return { url, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function listen(app: ReturnType<typeof createApp>, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw new AppError('config-invalid', `cannot listen on ${host}:${port}`, {
      field: 'producer.listen',
      mend: 'choose a free port and an address of this machine',
      cause: error,
    });
  }
}

/** Events of the intake are one an hour for a source or repository; this many are remembered as told. */
const MAX_TOLD = 1000;

/** Counts what happens at the intake, and tells what somebody should act on; telling never delays an answer. */
function intakeTeller(
  { config, log, now }: ProcessParts,
  metrics: Metrics,
  dispatch: Dispatch,
): (observation: IntakeObservation) => void {
  const context = () => ({ source: eventSource(config.instance), now: now() });

  /** Ids that were told: whoever sends without end must not make us ask Redis as often for what is told already. */
  const told = new Set<string>();

  function emit(event: Parameters<Dispatch>[0]): void {
    if (told.has(event.id)) return;
    if (told.size >= MAX_TOLD) told.clear();
    told.add(event.id);
    dispatch(event).catch((error: unknown) => {
      told.delete(event.id);
      log.warn({ err: error, type: event.type }, 'event not enqueued');
    });
  }

  return (observation) => {
    switch (observation.kind) {
      case 'delivery':
        metrics.count('attestry_deliveries_total', {
          source: observation.source ?? 'unknown',
          result: observation.result,
        });
        break;
      case 'answered':
        metrics.observe('attestry_intake_seconds', { source: observation.source }, observation.ms / 1000);
        break;
      case 'enqueued':
        metrics.count('attestry_enqueued_total', { source: observation.source, state: observation.state });
        break;
      case 'skipped':
        metrics.count('attestry_skipped_total', { source: observation.source, reason: observation.reason });
        break;
      case 'rate-exceeded':
        emit(rateExceeded(observation, context()));
        break;
      case 'unauthenticated':
        emit(intakeUnauthenticated(observation.source, context()));
        break;
      case 'signing-refused': {
        const { image, rule, refusal, job } = observation;
        metrics.count('attestry_signing_refused_total', { reason: refusal.reason });
        emit(signingRefused({ ...context(), image, rule, job }, refusal));
        break;
      }
      case 'tried':
      case 'unavailable':
        break;
    }
  };
}
