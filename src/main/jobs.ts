import type { Probot } from 'probot';
import type { JobHandlers } from '../worker.ts';
import type { Deps } from '../deps.ts';
import { passDeadline, pollAction, runEffect, type EffectRunner } from '../engine/embedded/run-effect.ts';
import { pollRule } from '../engine/embedded/run-rule.ts';
import { observePipeline } from '../handlers/adopt-executions.ts';
import { workOnDelivery } from '../handlers/delivery.ts';
import { reportExecution } from '../handlers/report-execution.ts';
import { sendNotice } from './notices.ts';
import type { Receivers } from './receivers.ts';
import { sendEvent, type EventsOptions } from './state-events.ts';
import { keepStatusComment } from '../handlers/status-comment.ts';
import { runSweep, sweeps, type SweepName } from '../handlers/sweep.ts';

/** What each kind of job does. Every one looks at the newest state, so running it twice does no harm. */
export function jobHandlers(
  deps: Deps,
  probot: Probot,
  runner: EffectRunner,
  { api, receivers: { events, notices } }: Pick<EventsOptions, 'api'> & { readonly receivers: Receivers },
): JobHandlers {
  return {
    delivery: ({ guid }) => workOnDelivery(deps, probot, guid),
    effect: ({ effect }) => runEffect(runner, effect),
    poll: ({ execution, action }) => pollAction(runner, execution, action),
    'poll-rule': ({ execution, rule }) => pollRule(runner, execution, rule),
    deadline: ({ execution, action }) => passDeadline(runner, execution, action),
    report: ({ execution }) => reportExecution(deps, execution),
    'status-comment': (about) => keepStatusComment(deps, about),
    refresh: ({ execution }) => deps.engine.refresh(execution),
    event: (payload) => sendEvent({ ...deps, api, receivers: events }, payload),
    notice: (payload) => sendNotice({ ...deps, notices }, payload),
    observe: (watched) => observePipeline(deps, watched),
    tick: async ({ name }) => {
      if (isSweep(name)) await runSweep(deps, name);
    },
  };
}

function isSweep(name: string): name is SweepName {
  return Object.hasOwn(sweeps, name);
}
