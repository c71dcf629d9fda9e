/** One metric: what it counts, and by which labels. Label values are closed sets; no image is ever one. */
export interface MetricRow {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, histograms only. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600] as const;

/** Every metric of both processes. */
export const METRICS = {
  attestry_push_to_attested_seconds: {
    kind: 'histogram',
    help: 'From the receipt of a push to its evidence read back from the registry.',
    labels: [],
    buckets: SECONDS,
  },
  attestry_job_seconds: {
    kind: 'histogram',
    help: 'One run of a job, whatever its end.',
    labels: ['lane'],
    buckets: SECONDS,
  },
  attestry_jobs_total: {
    kind: 'counter',
    help: 'Runs of jobs by their end: done, retried, throttled, put-off, released, dead.',
    labels: ['lane', 'outcome'],
  },
  attestry_verdicts_total: {
    kind: 'counter',
    help: 'Verdicts given: pass, warn, fail, error, skip.',
    labels: ['outcome'],
  },
  attestry_verdict_changes_total: {
    kind: 'counter',
    help: 'Changes of state, by the outcome after it.',
    labels: ['outcome'],
  },
  attestry_queue_depth: {
    kind: 'gauge',
    help: 'Jobs per lane: waiting, active, delayed.',
    labels: ['lane', 'state'],
  },
  attestry_dead_letters: { kind: 'gauge', help: 'Jobs that were given up and are kept.', labels: ['lane'] },
  attestry_evidence_coverage: {
    kind: 'gauge',
    help: 'Known images by the outcome of their worst known state.',
    labels: ['outcome'],
  },
  attestry_open_alerts: { kind: 'gauge', help: 'Alerts that are open.', labels: [] },
  attestry_evidence_attached_total: {
    kind: 'counter',
    help: 'Evidence attached, by type and layout; one signature in two layouts counts in each.',
    labels: ['type', 'layout'],
  },
  attestry_evidence_copied_total: {
    kind: 'counter',
    help: 'Evidence of the same image in another repository that was copied, by type and layout.',
    labels: ['type', 'layout'],
  },
  attestry_evidence_restored_total: {
    kind: 'counter',
    help: 'Own evidence that had lapsed and was attached again.',
    labels: [],
  },
  attestry_signing_refused_total: {
    kind: 'counter',
    help: 'What was not signed because no rule allows it, by reason: rule, source, actor, tag, builder, type, signer, statement, import.',
    labels: ['reason'],
  },
  attestry_trust_fetches_total: {
    kind: 'counter',
    help: 'Fetches of trust material, and changed files of it, by their end: fetched, kept (failed, and older material counts), failed.',
    labels: ['outcome'],
  },
  attestry_deliveries_total: {
    kind: 'counter',
    help: 'Webhook deliveries by source and result: accepted, skipped, rejected, unauthenticated, unavailable.',
    labels: ['source', 'result'],
  },
  attestry_pull_up: {
    kind: 'gauge',
    help: 'Whether a source that is fetched from a queue could be read at the last try.',
    labels: ['source'],
  },
  attestry_pull_failures_total: {
    kind: 'counter',
    help: 'Tries that failed to read a source that is fetched from a queue.',
    labels: ['source'],
  },
  attestry_pull_given_up_total: {
    kind: 'counter',
    help: 'Messages of queues that could never be read and were put aside for good.',
    labels: ['source'],
  },
  attestry_enqueued_total: {
    kind: 'counter',
    help: 'Images of deliveries by source and state: queued, duplicate.',
    labels: ['source', 'state'],
  },
  attestry_skipped_total: {
    kind: 'counter',
    help: 'Items of deliveries that were not enqueued, by reason.',
    labels: ['source', 'reason'],
  },
  attestry_intake_seconds: {
    kind: 'histogram',
    help: 'From the first byte of a delivery to its answer.',
    labels: ['source'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  attestry_events_delivered_total: {
    kind: 'counter',
    help: 'Events handed to a sink by result: delivered, unavailable, rejected.',
    labels: ['sink', 'result'],
  },
  attestry_certificate_end_timestamp: {
    kind: 'gauge',
    help: 'End of the certificate of a signer, seconds since 1970.',
    labels: ['signer'],
  },
  attestry_certificate_renewals_total: {
    kind: 'counter',
    help: 'New certificates that were found by signer and outcome: renewed, refused.',
    labels: ['signer', 'outcome'],
  },
  attestry_registry_breaker: {
    kind: 'gauge',
    help: 'Circuit breaker of a registry: 0 closed, 1 trying again, 2 open (left alone).',
    labels: ['registry'],
  },
  attestry_registry_breaker_changes_total: {
    kind: 'counter',
    help: 'Breakers that this worker opened or closed, by registry and state: open, closed.',
    labels: ['registry', 'state'],
  },
  attestry_registry_held_back_total: {
    kind: 'counter',
    help: 'Jobs and calls that were put off, by registry and reason: paused, resting, registry, source.',
    labels: ['registry', 'reason'],
  },
  attestry_sweeps_total: {
    kind: 'counter',
    help: 'Sweeps of registries by their end: done, incomplete (of some repositories), stopped (it goes on where it was).',
    labels: ['registry', 'outcome'],
  },
  attestry_sweep_gaps_total: {
    kind: 'counter',
    help: 'Images that a sweep found and of which no push was heard.',
    labels: ['registry'],
  },
  attestry_source_last_heard_timestamp: {
    kind: 'gauge',
    help: 'When a source spoke last, seconds since 1970; over all producers.',
    labels: ['source'],
  },
  attestry_source_lag_seconds: {
    kind: 'gauge',
    help: 'From the event to its acceptance, of the last push of a source that told its time.',
    labels: ['source'],
  },
  attestry_source_silent: {
    kind: 'gauge',
    help: '1 while a source is silent for longer than is usual.',
    labels: ['source'],
  },
  attestry_redis_up: { kind: 'gauge', help: '1 when Redis answers.', labels: [] },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof METRICS;
export type MetricLabels<Name extends MetricName> = Readonly<Record<(typeof METRICS)[Name]['labels'][number], string>>;

/** The names of one kind. */
export type NameOf<Kind extends MetricRow['kind']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
