import { watchBackfill } from '#compose/backfill-watch.ts';
import { watchCatalogs } from '#compose/catalog-watch.ts';
import { RENEWAL_EVERY_MS, watchCertificates } from '#compose/certificate-watch.ts';
import { createDispatch, type Dispatch, runDelivery } from '#compose/dispatch.ts';
import { createHousekeeping } from '#compose/housekeeping.ts';
import { countJobs, timeRun } from '#compose/job-metrics.ts';
import { createKeys } from '#compose/keys.ts';
import { createLiveInstallation } from '#compose/live-installation.ts';
import { createOutbound } from '#compose/outbound.ts';
import { loadPolicies } from '#compose/policies.ts';
import { policyReaderFindings, refuseUnreadable } from '#compose/policy-readers.ts';
import { checkRedis, configuredRegistries, type ProcessParts } from '#compose/process-parts.ts';
import { createRegistryCare } from '#compose/registry-care.ts';
import { rememberedRegistries } from '#compose/remembered-registries.ts';
import { repeat } from '#compose/repeat.ts';
import { createRevocation } from '#compose/revocation.ts';
import { createAskedCertificates, policiesUnder } from '#compose/revocation-watch.ts';
import { openSigners } from '#compose/signers.ts';
import { createSinks } from '#compose/sinks.ts';
import { watchSources } from '#compose/source-watch.ts';
import { gaugeState } from '#compose/state-gauges.ts';
import { tellTrustRefresh } from '#compose/trust-news.ts';
import { createTrustSources } from '#compose/trust-sources.ts';
import { watchTrustFiles } from '#compose/trust-watch.ts';
import { openTrusts } from '#compose/trusts.ts';
import { createWorkerEngine } from '#compose/worker-engine.ts';
import { entriesOfConfig } from '#config/draft.ts';
import { eventSource } from '#events/cloud-event.ts';
import { jobDead } from '#events/watch-events.ts';
import { runImageJob } from '#jobs/image-job.ts';
import type { JobPorts } from '#jobs/job-ports.ts';
import type { JobReport } from '#jobs/job-report.ts';
import { createRedisLedger } from '#ledger/redis-ledger.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import { ImageJob } from '#model/job.ts';
import type { DeadJob } from '#queue/processor.ts';
import { createJobQueues } from '#queue/queues.ts';
import { ensureWakes, startWakeHandler } from '#queue/schedule.ts';
import { whyNotAlive } from '#queue/worker-health.ts';
import { startWorkers } from '#queue/workers.ts';
import { createEvidencePushes } from '#redis/evidence-pushes.ts';
import { createHandedIn } from '#redis/handed-in.ts';
import { createHeardSources } from '#redis/heard-sources.ts';
import { createRevocationMemory } from '#redis/revocation-memory.ts';
import { createTagNames } from '#redis/tag-names.ts';
import { createToldOnce } from '#redis/told-once.ts';
import { createWrittenEvidence } from '#redis/written-evidence.ts';
import { createMetrics, type Metrics } from '#telemetry/metrics.ts';
import { startMetricsServer } from '#telemetry/metrics-server.ts';

export interface RunningWorker extends AsyncDisposable {
  /** Port of `/metrics`, `/livez` and `/readyz`. */
  readonly metricsPort: number;
  /** What is counted, for a producer in the same process. */
  readonly metrics: Metrics;
}

/** How often the outbox is looked at, milliseconds: the delay of an event when nothing fails. */
const RELAY_EVERY_MS = 500;

/**
 * Starts a worker: everything that could be wrong is found before the first job is taken.
 * @throws AppError of the configuration, the signers, Redis.
 */
export async function startWorker(parts: ProcessParts): Promise<RunningWorker> {
  const { config, log, now } = parts;
  const { prefix } = config.redis;
  const stack = new AsyncDisposableStack();
  try {
    const source = eventSource(config.instance);
    const outbound = stack.use(createOutbound({ ...parts, offline: config.offline }));
    const asked = createAskedCertificates((error) => log.warn({ err: error }, 'certificate in question not noted'));
    const revocation = await createRevocation(config.trusts, { ...parts, outbound, onAsked: asked.note });
    const trustSources = stack.use(
      await createTrustSources(config.trusts, {
        ...parts,
        outbound,
        // Nothing is fetched before it is known whom to tell.
        onRefresh: (refresh) => tellTrustRefresh(refresh, { log, metrics, dispatch, context }),
      }),
    );
    const sources = trustSources.byTrust;
    const { trusts, files } = await openTrusts(config.trusts, parts.readFile, {
      revocation: revocation.rules,
      sources,
    });
    const keys = stack.use(createKeys({ ...parts, outbound }));
    const { identities: signers, reload } = await openSigners(config, { ...parts, outbound, trusts, keys });
    const policies = await loadPolicies(config.policies, parts.readFile, (policy, { code, message, next }) =>
      log.warn({ policy, code, next }, `policy cannot be judged: ${message}`),
    );
    refuseUnreadable(await policyReaderFindings(entriesOfConfig(config), parts.readFile));
    const revocable = revocation.rules;
    const live = createLiveInstallation({ source, rules: config.rules, signers, trusts, policies, revocable });
    const { installation } = live;
    const store = stack.use(await parts.connect('store'));
    await checkRedis(store, parts);
    const blocking = stack.use(await parts.connect('worker'));
    const context = () => ({ source, now: now() });
    const metrics = createMetrics({ processMetrics: true });
    const tell: Dispatch = (event) => dispatch(event);
    const care = createRegistryCare({ ...parts, store, metrics, dispatch: tell, context });
    const memo = await rememberedRegistries(parts, store);
    const registries = configuredRegistries(parts, { memo, turn: care.turn, told: care.told });
    stack.defer(() => registries.close());
    const queues = stack.use(createJobQueues({ connection: store, prefix }));
    const ledger = createRedisLedger(store.client, { prefix, ...config.ledger });
    const engine = createWorkerEngine(parts, store, { registries, revocation });
    const memory = createRevocationMemory(store.client, { prefix });
    asked.keepIn(memory);
    const sinks = createSinks(parts, store);
    for (const sink of sinks) stack.use(sink);
    const sinksById = new Map(sinks.map((sink) => [sink.id, sink]));
    const dispatch = createDispatch(sinks, queues);
    await trustSources.open();
    trustSources.watch();
    stack.defer(countJobs(metrics));
    gaugeState(metrics, queues, ledger, now);
    const ports: JobPorts = {
      engine,
      installation,
      ledger,
      outbox: ledger,
      handedIn: createHandedIn(store.client, { prefix }),
      evidencePushes: createEvidencePushes(store.client, { prefix }),
      retryErrorMs: config.reconcile.retryError,
      tagNames: createTagNames(store.client, { prefix }),
      referrers: createWrittenEvidence(store.client, { prefix }),
      enqueue: (job, options) => queues.enqueueImage('cause', job, options),
      now,
    };
    const policiesOf = (trust: string) => policiesUnder(trust, installation);
    const housekeeping = createHousekeeping({
      ledger,
      queues,
      signers: live.signers,
      told: createToldOnce(store.client, { prefix }),
      dispatch,
      reconcile: config.reconcile,
      source,
      now,
      traceparent: () => parts.traceparent(),
      revocation: { revocation, memory, policiesOf },
    });
    const relay = repeat(housekeeping.relay, RELAY_EVERY_MS, (error) => log.warn({ err: error }, 'outbox not relayed'));
    stack.use(relay);
    const renew = watchCertificates({ ...parts, signers: config.signers, live, reload, dispatch, metrics, context });
    stack.use(repeat(renew, RENEWAL_EVERY_MS, (error) => log.warn({ err: error }, 'certificates not looked at')));
    const heard = createHeardSources(store.client, { prefix });
    const listen = watchSources({ config, now, heard, metrics, dispatch, context });
    stack.use(repeat(listen, RENEWAL_EVERY_MS, (error) => log.warn({ err: error }, 'sources not looked at')));
    const watch = watchTrustFiles({ files, ledger, policiesOf, metrics, log, now });
    stack.use(repeat(watch, RENEWAL_EVERY_MS, (error) => log.warn({ err: error }, 'trust files not looked at')));
    const backfill = stack.use(watchBackfill({ ...parts, registries, ledger, queues, store, budget: care }));
    const workers = await startWorkers({
      connection: blocking,
      prefix,
      lanes: config.worker.concurrency,
      now,
      limits: config.worker.retry,
      handle: async (work, { signal, jobId }) => {
        using _timed = timeRun(metrics, work.lane, now);
        if (work.lane === 'deliver') return runDelivery(work.job, sinksById, metrics, signal);
        const registry = registries.nameOf(work.job.image.registry);
        const token = `${work.lane}-${jobId}`;
        const place = await backfill.admit(work.job, token);
        if (place === 'skip') return;
        await using _place = place;
        const reports = await care.run({ lane: work.lane, job: work.job, token, registry }, async (calls) => {
          const from = performance.now();
          const made = await runImageJob(work.lane, work.job, work.announced ?? [], ports, { signal });
          await backfill.finished(work.job, made, calls, performance.now() - from);
          return made;
        });
        const { image, cause } = work.job;
        for (const report of reports) log.info({ lane: work.lane, image, cause, ...summary(report) }, 'job done');
        relay.soon();
      },
      onFinished: ({ lane, outcome, error }) => {
        metrics.count('attestry_jobs_total', { lane, outcome });
        if (error) log.warn({ lane, outcome, err: error }, 'job failed');
      },
      onDead: async (dead) => {
        log.error({ lane: dead.lane, job: dead.jobId, reason: dead.reason }, 'job given up: see the dead letters');
        const job = ImageJob.safeParse(dead.payload);
        if (job.success) await backfill.failed(job.data);
        // A delivery that died is told by log and metric alone: an event about it could die of the same sink.
        if (dead.lane !== 'deliver') await dispatch(jobDead(deadFacts(dead), context()));
      },
      onError: (error) => log.warn({ err: error }, 'queue error'),
    });
    stack.defer(() => workers.stop({ deadlineMs: config.worker.stopTimeout }));
    stack.use(watchCatalogs({ ...parts, registries, ledger, queues, store, budget: care, metrics, dispatch, context }));
    await ensureWakes({ connection: store, prefix }, housekeeping.wakes);
    stack.use(
      await startWakeHandler({
        connection: blocking,
        prefix,
        handle: (id) => housekeeping.run(id),
        onError: (error) => log.warn({ err: error }, 'scheduled work failed'),
      }),
    );
    const server = await startMetricsServer({
      ...config.worker.listen,
      metrics,
      live: () => workers.health().map(whyNotAlive).find(Boolean),
      ready: async () => (workers.health().every(({ connected }) => connected) ? undefined : 'Redis is away'),
      notes: care.notes,
    });
    stack.use(server);
    log.info({ metrics: server.port, rules: config.rules.length }, 'worker started');
    return { metricsPort: server.port, metrics, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function summary(report: JobReport): object {
  switch (report.outcome) {
    case 'no-rule':
      return { outcome: report.outcome };
    case 'not-an-image':
      return { outcome: report.outcome, why: report.why };
    case 'looked':
      return { outcome: report.outcome, removed: report.removals };
    case 'done': {
      const evidence = report.evidence.map(({ type, state }) => `${type} ${state}`);
      const verdicts = report.verdicts.map(({ policy, outcome }) => `${policy.name} ${outcome}`);
      return { outcome: report.outcome, rule: report.rule, evidence, verdicts, took: report.took };
    }
  }
}

function deadFacts({ lane, jobId, reason, attempts, payload }: DeadJob) {
  const job = ImageJob.safeParse(payload);
  const { code, message } = reason;
  const image = job.success ? { image: formatImageRef(job.data.image as ImageRef) } : {};
  return { lane, jobId, ...image, code, reason: message, attempts };
}
