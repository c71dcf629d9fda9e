import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricLabels, type MetricName, type MetricRow, type NameOf } from '#telemetry/metric-table.ts';

/** The metrics of one process. */
export interface Metrics {
  count<Name extends NameOf<'counter'>>(name: Name, labels: MetricLabels<Name>, by?: number): void;
  set<Name extends NameOf<'gauge'>>(name: Name, labels: MetricLabels<Name>, value: number): void;
  /** Drops every label combination of a gauge, before it is set anew from a source that lists only what there is. */
  reset(name: NameOf<'gauge'>): void;
  observe<Name extends NameOf<'histogram'>>(name: Name, labels: MetricLabels<Name>, value: number): void;
  /** Called before each scrape, to set gauges from their sources; a failure leaves the old values. */
  onScrape(collect: () => Promise<void>): void;
  /** Prometheus text exposition format. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** @param options.processMetrics also memory, CPU and event loop of the process; they start a watch of the loop. */
export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  for (const [name, row] of Object.entries(METRICS) as [MetricName, MetricRow][]) {
    const shape = { name, help: row.help, labelNames: row.labels, registers: [registry] };
    switch (row.kind) {
      case 'counter':
        counters.set(name, new Counter(shape));
        break;
      case 'gauge':
        gauges.set(name, new Gauge(shape));
        break;
      case 'histogram':
        histograms.set(name, new Histogram({ ...shape, buckets: [...(row.buckets ?? [])] }));
        break;
    }
  }
  const sources: (() => Promise<void>)[] = [];
  return {
    count: (name, labels, by = 1) => counters.get(name)?.inc(labels, by),
    set: (name, labels, value) => gauges.get(name)?.set(labels, value),
    reset: (name) => gauges.get(name)?.reset(),
    observe: (name, labels, value) => histograms.get(name)?.observe(labels, value),
    onScrape: (collect) => void sources.push(collect),
    async render() {
      await Promise.allSettled(sources.map((collect) => collect()));
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
