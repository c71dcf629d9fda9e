import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { METRICS, type MetricRow } from '#telemetry/metric-table.ts';
import { createMetrics } from '#telemetry/metrics.ts';
import { startMetricsServer } from '#telemetry/metrics-server.ts';

test('names, help and labels are of one form; no label could be an image', () => {
  for (const [name, row] of Object.entries(METRICS) as [string, MetricRow][]) {
    assert.match(name, /^attestry_[a-z_]+$/);
    assert.equal(name.endsWith('_total'), row.kind === 'counter', name);
    // Prometheus: what is counted has _total, what is measured ends in its unit.
    if (row.kind === 'histogram') assert.match(name, /_seconds$/);
    assert.match(row.help, /\.$/);
    for (const label of row.labels) {
      assert.ok(
        [
          'lane',
          'outcome',
          'state',
          'type',
          'layout',
          'source',
          'result',
          'reason',
          'sink',
          'signer',
          'registry',
        ].includes(label),
        label,
      );
    }
    if (row.buckets)
      assert.deepEqual(
        row.buckets,
        row.buckets.toSorted((a, b) => a - b),
      );
  }
});

test('what is counted, set and observed is rendered', async () => {
  const metrics = createMetrics();
  metrics.count('attestry_jobs_total', { lane: 'push', outcome: 'done' });
  metrics.count('attestry_jobs_total', { lane: 'push', outcome: 'done' }, 2);
  metrics.observe('attestry_push_to_attested_seconds', {}, 3);
  metrics.set('attestry_evidence_coverage', { outcome: 'pass' }, 7);
  const { contentType, body } = await metrics.render();
  assert.match(contentType, /^text\/plain/);
  assert.match(body, /^attestry_jobs_total\{lane="push",outcome="done"\} 3$/m);
  assert.match(body, /^attestry_push_to_attested_seconds_bucket\{le="2.5"\} 0$/m);
  assert.match(body, /^attestry_push_to_attested_seconds_bucket\{le="5"\} 1$/m);
  assert.match(body, /^attestry_evidence_coverage\{outcome="pass"\} 7$/m);
  for (const name of Object.keys(METRICS)) assert.ok(body.includes(`# HELP ${name} `), name);
});

test('gauges are set from their sources at each scrape; a source that fails leaves the old value', async () => {
  const metrics = createMetrics();
  let depth = 5;
  metrics.onScrape(async () => {
    metrics.reset('attestry_queue_depth');
    metrics.set('attestry_queue_depth', { lane: 'push', state: 'waiting' }, depth);
  });
  metrics.onScrape(() => Promise.reject(new Error('away')));
  assert.match((await metrics.render()).body, /^attestry_queue_depth\{lane="push",state="waiting"\} 5$/m);
  depth = 6;
  assert.match((await metrics.render()).body, /^attestry_queue_depth\{lane="push",state="waiting"\} 6$/m);
});

test('two in one process do not meet', async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.count('attestry_signing_refused_total', { reason: 'tag' });
  assert.doesNotMatch((await other.render()).body, /^attestry_signing_refused_total\{/m);
});

test('the listener answers metrics, liveness and readiness, and nothing else', async () => {
  const metrics = createMetrics();
  let dead: string | undefined;
  let busy: string | undefined;
  await using server = await startMetricsServer({
    host: '127.0.0.1',
    port: 0,
    metrics,
    live: () => dead,
    ready: async () => {
      if (busy === 'throw') throw new Error('secret detail');
      return busy;
    },
  });
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return [response.status, await response.text()] as const;
  };
  assert.equal((await get('/metrics'))[0], 200);
  assert.deepEqual(await get('/livez'), [200, 'ok\n']);
  dead = 'lane push: deaf';
  assert.deepEqual(await get('/livez'), [503, 'lane push: deaf\n']);
  assert.deepEqual(await get('/readyz?x=1'), [200, 'ok\n']);
  busy = 'Redis does not answer';
  assert.deepEqual(await get('/readyz'), [503, 'Redis does not answer\n']);
  busy = 'throw';
  assert.deepEqual(await get('/readyz'), [500, 'internal error\n']);
  assert.equal((await get('/'))[0], 404);
  assert.equal((await get('/metrics', { method: 'POST', body: 'x' }))[0], 405);
});

test('an address that is taken is refused by the name of its key', async () => {
  const options = { host: '127.0.0.1', metrics: createMetrics(), live: () => undefined, ready: async () => undefined };
  await using server = await startMetricsServer({ ...options, port: 0 });
  await assert.rejects(startMetricsServer({ ...options, port: server.port }), (error) => {
    return error instanceof AppError && error.code === 'config-invalid' && error.field === 'worker.metrics';
  });
});
