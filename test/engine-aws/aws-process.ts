import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { z } from 'zod';
import { defaultServerConfig } from '../../src/config/server.ts';
import { registerEventSinks } from '../../src/db/event-outbox.ts';
import { findExecution, waitingExecutions } from '../../src/db/executions.ts';
import { openDatabase } from '../../src/db/open.ts';
import { createEmbeddedEngine, type EmbeddedEngine } from '../../src/engine/embedded/embedded-engine.ts';
import { createLogBook } from '../../src/engine/embedded/log-book.ts';
import { passDeadline, pollAction, runEffect, type EffectRunner } from '../../src/engine/embedded/run-effect.ts';
import { startApiDoor } from '../../src/main/api-door.ts';
import type { ActionDeclaration } from '../../src/pipeline/definition.ts';
import { waitingApprovals } from '../../src/pipeline/status.ts';
import { allotLocation } from '../../src/providers/artifact-store.ts';
import { manualApproval } from '../../src/providers/manual-approval.ts';
import type { AnyProvider } from '../../src/providers/provider.ts';
import { runWorker } from '../../src/worker.ts';
import { askDoor, openAwsWire, type WireCall } from './aws-wire.ts';
import { seeded } from './seeded.ts';
import { startStandInSqs } from './stand-in-sqs.ts';

// AWS in a process of its own for test/engine-aws/two-hundred.long.test.ts: our CodePipeline door with the embedded engine
// behind it, STS, a queue that gets a part of the events, and somebody in the console who answers gates.
const [url, home, seed] = process.argv.slice(2) as [string, string, string];
const chance = seeded(Number(seed));
const open = await openDatabase({ kind: 'postgres', url });
const { db } = open;
const log = pino({ level: process.env['DOOR_LOG'] ?? 'silent' });
const now = (): Date => new Date();
const counts = new Map<string, number>();
const told = { sent: 0, lost: 0 };
let lossRate = 0;

const sqs = await startStandInSqs();
const engine = createEmbeddedEngine({ db, host: 'aws', now, alsoRuns: () => true });
const worker = runWorker({
  db,
  listen: (channel, onNotify) => open.listen(channel, onNotify),
  worker: `aws/${randomUUID()}`,
  host: 'aws',
  concurrency: 8,
  log,
  handlers: {
    effect: ({ effect }) => runEffect(runner(), effect),
    poll: ({ execution, action }) => pollAction(runner(), execution, action),
    deadline: ({ execution, action }) => passDeadline(runner(), execution, action),
    report: () => Promise.resolve(),
    event: ({ event }) => {
      sendEvent(event.detail);
      return Promise.resolve();
    },
  },
});
await registerEventSinks(db, ['queue']);
const api = { ...defaultServerConfig.api, account: '111122223333', region: 'eu-west-1', port: 0 };
const door = await startApiDoor({ home, db, engine, now, log, api, anonymous: true });
const wire = await openAwsWire(counted(askDoor(() => door.url)));
const console_ = setInterval(() => void answerGates(engine), 700);

process.on('message', ({ id, lose }: { readonly id: number; readonly lose?: number }) => {
  if (lose !== undefined) lossRate = lose;
  const calls = Object.fromEntries(counts);
  if (lose !== undefined) counts.clear();
  process.send?.({ id, calls, events: { ...told } });
});
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => {
  clearInterval(console_);
  void Promise.all([worker.drain(1000), door.stop(), wire.close(), sqs.stop()]).then(() => process.exit(0));
});
process.send?.({ id: 0, url: wire.url, queue: sqs.url });

function runner(): EffectRunner {
  return {
    db,
    log,
    now,
    findProvider: timed,
    logs: createLogBook(home),
    allotArtifact: (definition, artifact, token) => allotLocation('artifacts', definition.name, artifact, token),
    secretsFor: () => ({}),
    aws: {},
    notifier: { approvalWaiting: () => Promise.resolve() },
    detailsUrl: ({ id }) => `https://penstock.example/executions/${id}`,
  };
}

/** Sources end at once; a build takes a second or more, and every fifth fails. */
function timed({ actionTypeId, name }: ActionDeclaration): AnyProvider {
  if (actionTypeId.provider === 'Manual') return manualApproval();
  const done = { kind: 'succeeded', outputVariables: {} } as const;
  const failed = { kind: 'failed', error: { code: 'JobFailed', message: 'it was not to be' } } as const;
  const isSource = actionTypeId.category === 'Source';
  return {
    type: { category: 'Compute', owner: 'AWS', provider: 'Timed', version: '1' },
    configuration: z.record(z.string(), z.string()),
    artifacts: { in: [0, 5], out: [0, 5] },
    start: ({ token }) => {
      const pollAfterMs = 500 + chance() * 2_500;
      return Promise.resolve(isSource ? done : { kind: 'running', externalId: `timed/${token}`, pollAfterMs });
    },
    poll: () => Promise.resolve(name === 'Unit' && chance() < 0.2 ? failed : done),
  };
}

/** As an EventBridge rule sends them to its queue. */
function sendEvent(detail: object): void {
  told.sent += 1;
  if (chance() < lossRate) told.lost += 1;
  else sqs.send(JSON.stringify({ source: 'aws.codepipeline', account: '111122223333', region: 'eu-west-1', detail }));
}

/** Refuses every fifth. */
async function answerGates(one: EmbeddedEngine): Promise<void> {
  for (const execution of await waitingExecutions(db)) {
    const record = await findExecution(db, execution);
    const [gate] = record ? waitingApprovals(record.execution) : [];
    if (!record || !gate) continue;
    const { stage, action, token } = gate;
    const kind = chance() < 0.2 ? 'reject' : 'approve';
    const command = { kind, lane: record.execution.lane, execution, stage, action, token, summary: 'fine' } as const;
    await one.obey(command, { kind: 'person', id: 2, login: 'reviewer' }).catch(() => undefined);
  }
}

function counted(call: WireCall): WireCall {
  return (operation, input) => {
    counts.set(operation, (counts.get(operation) ?? 0) + 1);
    return call(operation, input);
  };
}
