import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { ApprovalNotification } from '../pipeline/approval-notification.ts';
import type { Effect } from '../pipeline/effect.ts';
import type { StateEvent } from '../pipeline/state-events.ts';

/** What each kind of job needs to know. Ids only: a job looks at the newest state when it runs. */
export interface JobPayloads {
  /** Work on a stored webhook. */
  readonly delivery: { readonly guid: string };
  /** Do one effect of the embedded engine. */
  readonly effect: { readonly effect: Effect };
  /** Ask a provider how a running action stands. */
  readonly poll: { readonly execution: string; readonly action: string };
  /** Ask how a rule of a condition stands. */
  readonly 'poll-rule': { readonly execution: string; readonly rule: string };
  readonly deadline: { readonly execution: string; readonly action: string };
  /** Make an execution's check runs true. */
  readonly report: { readonly execution: string };
  /** Make the status comment of a pull request true. */
  readonly 'status-comment': { readonly repositoryId: number; readonly pullRequest: number };
  /** Make a stored execution true again (AWS). */
  readonly refresh: { readonly execution: string };
  /** Tell a receiver of a state change. Like a notice it says what happened: nobody can look it up later. */
  readonly event: { readonly sink: string; readonly event: StateEvent };
  /** Tell a receiver that an approval waits. `time`: since when it is to be told. */
  readonly notice: {
    readonly sink: string;
    readonly execution: string;
    readonly time: string;
    readonly message: ApprovalNotification;
  };
  /** Look at everything that runs of a pipeline of AWS. */
  readonly observe: { readonly repositoryId: number; readonly pipeline: string };
  /** One round of periodic work. */
  readonly tick: { readonly name: string };
}

export type JobKind = keyof JobPayloads;

const execution = z.string().min(1);
const action = execution;
const effectShape = z.object({ kind: z.string(), execution, stage: z.string() });
const effect = z.custom<Effect>((value) => effectShape.safeParse(value).success);

const eventShape = z.object({ id: z.string(), level: z.string(), time: z.string(), execution, detail: z.object({}) });
const stateEvent = z.custom<StateEvent>((value) => eventShape.safeParse(value).success);

const approvalShape = z.object({ pipelineName: z.string(), actionName: z.string(), token: z.string() });
const noticeShape = z.object({ region: z.string(), consoleLink: z.string(), approval: approvalShape });
const notification = z.custom<ApprovalNotification>((value) => noticeShape.safeParse(value).success);

const payloadShapes: { readonly [K in JobKind]: z.ZodType<JobPayloads[K]> } = {
  delivery: z.object({ guid: z.string() }),
  effect: z.object({ effect }),
  poll: z.object({ execution, action }),
  'poll-rule': z.object({ execution, rule: execution }),
  deadline: z.object({ execution, action }),
  report: z.object({ execution }),
  'status-comment': z.object({ repositoryId: z.int(), pullRequest: z.int() }),
  refresh: z.object({ execution }),
  event: z.object({ sink: z.string(), event: stateEvent }),
  notice: z.object({ sink: z.string(), execution, time: z.string(), message: notification }),
  observe: z.object({ repositoryId: z.int(), pipeline: z.string() }),
  tick: z.object({ name: z.string() }),
};

/** Throws UserError for a row that somebody edited by hand or that a newer version wrote: it becomes a dead job. */
export function readPayload<K extends JobKind>(kind: K, payload: unknown): JobPayloads[K] {
  const read = payloadShapes[kind].safeParse(payload);
  if (read.success) return read.data;
  const text = `The ${kind} job has a payload that this version cannot read: ${z.prettifyError(read.error)}`;
  throw new UserError(`${text}. Mend the row and revive the job, or delete it.`);
}
