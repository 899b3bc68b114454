import { Counter, Gauge, type Registry } from 'prom-client';

/** What the database and the queues say of the AWS side when the metrics are read. */
export interface AwsReadings {
  readonly budgets: readonly { readonly account: string; readonly tokens: number; readonly pausedMs: number }[];
  readonly unobservedSeconds: number;
  readonly deadEvents: number;
  readonly queues: readonly { readonly queue: string; readonly waiting: number; readonly deadLetters?: number }[];
}

/** Counters of this process: calls of AWS and events from there. */
export function awsCounters(registry: Registry) {
  const registers = [registry];
  const calls = new Counter({
    name: 'penstock_aws_calls_total',
    help: 'Calls of AWS by operation and outcome (ok, throttled, denied, refused, failed)',
    labelNames: ['account', 'operation', 'outcome'] as const,
    registers,
  });
  const throttles = new Counter({
    name: 'penstock_aws_throttles_total',
    help: 'Calls that AWS throttled',
    labelNames: ['account'] as const,
    registers,
  });
  const events = new Counter({
    name: 'penstock_aws_events_total',
    help: 'Events from AWS by source (queue, https) and outcome (looking, ignored, dead)',
    labelNames: ['source', 'outcome'] as const,
    registers,
  });
  return {
    call: (account: string, operation: string, outcome: string): void => {
      calls.inc({ account, operation, outcome });
      if (outcome === 'throttled') throttles.inc({ account });
    },
    event: (source: string, outcome: string): void => events.inc({ source, outcome }),
  };
}

/** Figures that are the same on every replica. Answers how to set them; undefined: the database is away. */
export function awsGauges(registry: Registry): (readings: AwsReadings | undefined) => void {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
  const tokens = gauge('penstock_aws_budget_tokens', 'Calls left to looks at an account, over all replicas', [
    'account',
  ]);
  const paused = gauge('penstock_aws_budget_paused_seconds', 'How long looks wait because AWS throttled', ['account']);
  const unobserved = gauge(
    'penstock_aws_oldest_unobserved_seconds',
    'Since the live execution that was not looked at for longest was seen',
  );
  const dead = gauge('penstock_aws_dead_events', 'Messages of event queues that were set aside');
  const waiting = gauge('penstock_aws_queue_messages', 'Messages in an event queue', ['queue']);
  const letters = gauge('penstock_aws_queue_dead_letters', 'Messages in the dead-letter queue of an event queue', [
    'queue',
  ]);
  return (readings) => {
    for (const one of [tokens, paused, waiting, letters]) one.reset();
    unobserved.set(readings?.unobservedSeconds ?? Number.NaN);
    dead.set(readings?.deadEvents ?? Number.NaN);
    for (const budget of readings?.budgets ?? []) {
      tokens.set({ account: budget.account }, budget.tokens);
      paused.set({ account: budget.account }, budget.pausedMs / 1000);
    }
    for (const { queue, ...depths } of readings?.queues ?? []) {
      waiting.set({ queue }, depths.waiting);
      if (depths.deadLetters !== undefined) letters.set({ queue }, depths.deadLetters);
    }
  };
}
