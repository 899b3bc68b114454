import type { StackEvent } from '@aws-sdk/client-cloudformation';
import { orUnasked, type Asking, type Told } from './asking.ts';

/** Twenty pages of a hundred events; a stack that makes more in one update tells what these hold. */
const mostPages = 20;
/** Stacks within stacks. */
const deepest = 3;
/** Clocks of two services differ a little. */
const slackMs = 60_000;

/** The resource that failed first, with its reason: what comes after it is only cancelled and rolled back. */
export async function tellStack(asking: Asking): Promise<Told> {
  const { StackName: name, ActionMode: mode, ChangeSetName: changeSet } = asking.configuration;
  if (name === undefined) return {};
  if (mode === 'CHANGE_SET_REPLACE' && changeSet !== undefined) return tellChangeSet(asking, name, changeSet);
  return firstFailure(asking, name, 0);
}

async function firstFailure(asking: Asking, stack: string, depth: number): Promise<Told> {
  const events = await eventsSince(asking, stack);
  const first = events.filter(isCause).toSorted(byTime)[0];
  if (!first) return {};
  const nested = depth < deepest ? nestedIn(first) : undefined;
  const within = nested === undefined ? undefined : await orUnasked(firstFailure(asking, nested, depth + 1));
  if (within && 'answer' in within && within.answer.said !== undefined) return within.answer;
  return { said: eventText(first), ...(within && 'unasked' in within ? { unasked: within.unasked } : {}) };
}

/** Newest first, as CloudFormation gives them, until those from before this action. */
async function eventsSince(asking: Asking, stack: string): Promise<readonly StackEvent[]> {
  const since = asking.from.getTime() - slackMs;
  const all: StackEvent[] = [];
  let next: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const input = { StackName: stack, ...(next === undefined ? {} : { NextToken: next }) };
    const { StackEvents: events = [], NextToken: token } = await asking.call(
      'cloudFormation',
      'cloudformation:DescribeStackEvents',
      `stack/${nameOf(stack)}/*`,
      (api) => api.describeStackEvents(input),
    );
    all.push(...events.filter(({ Timestamp: at }) => (at?.getTime() ?? 0) >= since));
    if (token === undefined || (events.at(-1)?.Timestamp?.getTime() ?? 0) < since) break;
    next = token;
  }
  return all;
}

function nameOf(stack: string): string {
  return stack.includes(':stack/') ? (stack.split('/')[1] ?? stack) : stack;
}

function isCause({ ResourceStatus: status, ResourceStatusReason: reason, HookStatus: hook }: StackEvent): boolean {
  if (hook === 'HOOK_COMPLETE_FAILED' || hook === 'HOOK_FAILED') return true;
  return status?.endsWith('_FAILED') === true && !/^Resource \w+ cancell?ed$/i.test(reason?.trim() ?? '');
}

function byTime(a: StackEvent, b: StackEvent): number {
  return (a.Timestamp?.getTime() ?? 0) - (b.Timestamp?.getTime() ?? 0);
}

/** The stack that failed inside of this one: its own events know why. */
function nestedIn({ ResourceType: type, PhysicalResourceId: id, StackId: own }: StackEvent): string | undefined {
  return type === 'AWS::CloudFormation::Stack' && id?.includes(':stack/') && id !== own ? id : undefined;
}

function eventText(event: StackEvent): string {
  const { LogicalResourceId: name, ResourceType: type, ResourceStatus: status, HookStatus: hook, HookType: of } = event;
  const reason = event.HookStatusReason ?? event.ResourceStatusReason ?? 'without a reason';
  return `${name} (${type}) ${hook === undefined ? status : `${hook} by ${of}`}: ${reason}`;
}

async function tellChangeSet(asking: Asking, StackName: string, ChangeSetName: string): Promise<Told> {
  const { Status: status, StatusReason: reason } = await asking.call(
    'cloudFormation',
    'cloudformation:DescribeChangeSet',
    `stack/${StackName}/*`,
    (api) => api.describeChangeSet({ StackName, ChangeSetName }),
  );
  return reason ? { said: `Change set ${ChangeSetName} ${status}: ${reason}` } : {};
}
