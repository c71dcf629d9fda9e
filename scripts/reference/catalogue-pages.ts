import { ERRORS } from '#model/errors.ts';
import { DEFECTS } from '#model/evidence.ts';
import { OUTCOMES, REASONS } from '#model/verdict.ts';
import { METRICS, type MetricRow } from '#telemetry/metric-table.ts';
import { code, page, table } from './markdown.ts';

/** docs/reference/errors.md */
export function errorsPage(): string {
  const classes = table(
    ['class', 'what happens to the job'],
    [
      ['`transient`', 'tried again with growing delays, then a dead letter'],
      ['`throttled`', 'tried again when we were told to; costs no try'],
      ['`not-yet`', 'looked for within `worker.retry.visibleWithin` (two minutes), then a dead letter'],
      ['`permanent`', 'a dead letter at once, with its reason'],
    ],
  );
  const rows = Object.entries(ERRORS).map(([name, error]) => [code(name), code(error.class), error.meaning]);
  return page(
    'Errors',
    'An error means that something could not be done or checked. Evidence that was checked and found bad is a verdict with [reasons](reasons.md), never an error.',
    classes,
    table(['code', 'class', 'meaning'], rows),
  );
}

const OUTCOME_MEANINGS: Readonly<Record<(typeof OUTCOMES)[number], string>> = {
  pass: 'checked, and good',
  warn: 'the admission controller would let it in with a warning',
  fail: 'checked, and bad',
  error: 'could not be checked: never a pass, never a fail',
  skip: 'the policy does not speak of this image',
};

/** docs/reference/reasons.md */
export function reasonsPage(): string {
  const rowsOf = (catalogue: Readonly<Record<string, string>>) =>
    Object.entries(catalogue).map(([name, meaning]) => [code(name), meaning]);
  const outcomes = OUTCOMES.map((outcome) => [code(outcome), OUTCOME_MEANINGS[outcome]]);
  return page(
    'Outcomes and reasons',
    'A verdict has one outcome and the reasons for it. The codes are closed: programs may switch on them. Messages are for people and may change.',
    `## Outcomes\n\n${table(['outcome', 'meaning'], outcomes)}`,
    `## Reasons of a policy\n\n${table(['code', 'meaning'], rowsOf(REASONS))}`,
    `## Defects of a piece of evidence\n\n${table(['code', 'meaning'], rowsOf(DEFECTS))}`,
  );
}

/** docs/reference/metrics.md */
export function metricsPage(): string {
  const rows = Object.entries<MetricRow>(METRICS).map(([name, row]) => [
    code(name),
    row.kind,
    row.labels.map(code).join(', '),
    row.help,
  ]);
  return page(
    'Metrics',
    'Prometheus text format at `/metrics` of the producer (`producer.listen`) and of each worker (`worker.listen`); of `serve`, either address tells all. No label ever holds the name of an image.',
    table(['metric', 'kind', 'labels', 'meaning'], rows),
  );
}
