import { expiryOf, type GateVerdict } from '../commands/approval-rules.ts';
import type { AuditRow } from '../db/audit.ts';
import type { ExecutionRecord } from '../db/executions.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { waitingApprovals } from '../pipeline/status.ts';
import type { GateStory } from '../render/view.ts';
import { judgeGate, policyOf, reasonNeeded, waitingSince, type GateDeps, type WaitingGate } from './gate-facts.ts';
import { configurationChanged } from './gate-release.ts';
import { configurationNow } from './void-by-configuration.ts';

type Stories = Readonly<Record<string, GateStory>>;

/** By `Stage/Action`: gates that wait as they stand now, answered ones as they were judged when they were answered. */
export async function gateStories(
  deps: GateDeps,
  record: ExecutionRecord,
  definition: PipelineDefinition,
  rows: readonly AuditRow[],
): Promise<Stories> {
  const stories: Record<string, GateStory> = {};
  for (const { what, detail } of rows) {
    const { gate, verdict } = detail;
    if (!what.startsWith('gate-') || typeof gate !== 'string' || !isVerdict(verdict)) continue;
    stories[gate] = { verdict, shaNeeded: false, reasonNeeded: false };
  }
  const isOutdated = configurationNow(record, rows) !== record.context.configDigest;
  for (const gate of waitingApprovals(record.execution)) {
    const story = await waitingStory(deps, record, { gate, definition });
    stories[`${gate.stage}/${gate.action}`] = isOutdated ? outdated(story, record) : story;
  }
  return stories;
}

/** Our own row; its form is checked so far that drawing it cannot fail on an older one. */
export function isVerdict(value: unknown): value is GateVerdict {
  return typeof value === 'object' && value !== null && 'counted' in value && 'explanation' in value;
}

async function waitingStory(
  deps: GateDeps,
  record: ExecutionRecord,
  { gate, definition }: { readonly gate: WaitingGate; readonly definition: PipelineDefinition },
): Promise<GateStory> {
  const policy = policyOf(record, gate);
  const { verdict } = await judgeGate(deps, record, gate);
  return {
    verdict,
    shaNeeded: record.context.fork || policy.requireSha,
    reasonNeeded: reasonNeeded(definition, gate),
    channels: policy.channels,
    expiresAt: expiryOf(policy, waitingSince(record, gate)),
  };
}

function outdated(story: GateStory, record: ExecutionRecord): GateStory {
  const { verdict } = story;
  return {
    ...story,
    verdict: { ...verdict, whoCould: [], warnings: [...verdict.warnings, configurationChanged(record)] },
  };
}
