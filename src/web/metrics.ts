import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { awsCounters, awsGauges, type AwsReadings } from './aws-metrics.ts';

/** What the database says when the metrics are read. */
export interface Readings {
  readonly jobs: { readonly waiting: number; readonly running: number; readonly dead: number; readonly lagMs: number };
  readonly executions: { readonly live: number; readonly waitingForApproval: number };
  /** Of a server that has bindings. */
  readonly aws?: AwsReadings;
}

export interface Metrics {
  /** For counters and gauges of others. */
  readonly registry: Registry;
  readonly contentType: string;
  /** Counts what is done with AWS. */
  readonly aws: ReturnType<typeof awsCounters>;
  /** In Prometheus' text form. */
  text(): Promise<string>;
}

const figures: readonly [name: string, help: string, value: (readings: Readings) => number][] = [
  ['penstock_jobs_waiting', 'Jobs that wait for a worker', ({ jobs }) => jobs.waiting],
  ['penstock_jobs_running', 'Jobs that a worker holds', ({ jobs }) => jobs.running],
  ['penstock_jobs_dead', 'Jobs that were given up', ({ jobs }) => jobs.dead],
  ['penstock_jobs_lag_seconds', 'How late the oldest due job is', ({ jobs }) => jobs.lagMs / 1000],
  ['penstock_executions_live', 'Executions that have not ended', ({ executions }) => executions.live],
  ['penstock_executions_waiting', 'Executions with a gate', ({ executions }) => executions.waitingForApproval],
];

/** Metrics of this process and figures of the database; while the database is away its figures read NaN. */
export function createMetrics(read: () => Promise<Readings>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const up = new Gauge({ name: 'penstock_database_up', help: '1 when the database answers', registers: [registry] });
  const gauges = figures.map(([name, help, value]) => ({
    gauge: new Gauge({ name, help, registers: [registry] }),
    value,
  }));
  const setAws = awsGauges(registry);
  return {
    registry,
    contentType: registry.contentType,
    aws: awsCounters(registry),
    text: async () => {
      const readings = await read().catch(() => undefined);
      up.set(readings === undefined ? 0 : 1);
      setAws(readings?.aws);
      for (const { gauge, value } of gauges) gauge.set(readings === undefined ? Number.NaN : value(readings));
      return registry.metrics();
    },
  };
}
