import { askControl } from '../cli/control-client.ts';
import type { CheckRunView } from './github/control/checks.ts';
import type { ActionPageData, ExecutionPageData } from '../web/page-data.ts';
import { Deviation } from './checks.ts';
import type { Show } from './show.ts';

/** What `penstock status` would be told about the execution of a check run. */
export async function executionOf(show: Show, run: CheckRunView): Promise<ExecutionPageData> {
  const [id = ''] = run.externalId.split('/');
  const answer = await askControl(show.set.home, `/executions/${id}`);
  if (answer.kind === 'answered') return answer.body as ExecutionPageData;
  throw new Deviation(`the server to know execution ${id}`, `its control socket answers: ${answer.kind}`);
}

export function actionOf(execution: ExecutionPageData, stage: string, action: string): ActionPageData {
  const found = execution.stages.find(({ name }) => name === stage)?.actions.find(({ name }) => name === action);
  if (found !== undefined) return found;
  throw new Deviation(`an action ${action} in stage ${stage}`, JSON.stringify(execution.stages));
}

/** Over HTTP, by the signed link that the check run shows to people. */
export async function logOf(run: CheckRunView, action: ActionPageData): Promise<string> {
  const link = new URL(run.detailsUrl);
  link.pathname += `/logs/${action.id ?? ''}`;
  const answer = await fetch(link);
  const text = await answer.text();
  if (answer.ok) return text;
  throw new Deviation(`the log of ${action.name} at the link of "${run.name}"`, `${answer.status} ${text.trim()}`);
}

/** From the moment at which its first command ran (so its log says) to the end that was stored. */
export function spanOf(action: ActionPageData, log: string): { readonly from: Date; readonly to: Date } {
  const line = /^\[Container\] (\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d\.\d{3})\d* Running command /m.exec(log);
  if (line === null || action.endedAt === undefined) {
    throw new Deviation(`${action.name} to run a command and to end`, `its log: ${log.slice(0, 400)}`);
  }
  const [, year, month, day, time] = line;
  return { from: new Date(`${year}-${month}-${day}T${time}Z`), to: new Date(action.endedAt) };
}
