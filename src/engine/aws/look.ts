import type {
  ActionExecutionDetail,
  GetPipelineStateOutput,
  PipelineExecution,
  PipelineExecutionSummary,
  RuleExecutionDetail,
} from '@aws-sdk/client-codepipeline';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { AwsRefusal, NoSuchPipeline } from './call-errors.ts';
import { ask, type Bound, type Ground } from './ground.ts';
import { readDeclaration } from './read-declaration.ts';

/** Calls that only read. */

/** Twenty pages of a hundred: an execution that was retried that often shows its newest two thousand actions. */
const mostPages = 20;

export async function allActions(ground: Ground, bound: Bound, id: string): Promise<readonly ActionExecutionDetail[]> {
  const input = { pipelineName: bound.target.pipelineName, filter: { pipelineExecutionId: id }, maxResults: 100 };
  return pages(async (token) => {
    const next = token === undefined ? {} : { nextToken: token };
    const page = await ask(ground, bound, 'ListActionExecutions', (api) =>
      api.listActionExecutions({ ...input, ...next }),
    );
    return { items: page.actionExecutionDetails ?? [], next: page.nextToken };
  });
}

export interface WantedActions {
  readonly id: string;
  readonly startedAt: Date | undefined;
  /** Ids of those that we have. */
  readonly known: readonly string[];
}

/** From so many executions on, the pipeline's own list is tried before each one's. */
const several = 3;

/**
 * Of several executions: one page of the pipeline's own list, which has the newest first (CP-X-70). Left out are those
 * that began before that page ends, and those of which it knows less than we do: they have lists of their own.
 */
export async function actionsOfSeveral(
  ground: Ground,
  bound: Bound,
  wanted: readonly WantedActions[],
): Promise<ReadonlyMap<string, readonly ActionExecutionDetail[]>> {
  const found = new Map<string, readonly ActionExecutionDetail[]>();
  if (wanted.length < several) return found;
  const input = { pipelineName: bound.target.pipelineName, maxResults: 100 };
  const page = await ask(ground, bound, 'ListActionExecutions', (api) => api.listActionExecutions(input));
  const details = page.actionExecutionDetails ?? [];
  const starts = details.flatMap(({ startTime }) => startTime?.getTime() ?? []);
  const reaches = page.nextToken === undefined ? -Infinity : Math.min(Infinity, ...starts);
  for (const { id, startedAt, known } of wanted) {
    const own = details.filter((one) => one.pipelineExecutionId === id);
    const isWhole = reaches === -Infinity || (startedAt !== undefined && reaches < startedAt.getTime() - 1000);
    const hasKnown = known.every((one) => own.some(({ actionExecutionId }) => actionExecutionId === one));
    if (isWhole && hasKnown && own.length > 0) found.set(id, own);
  }
  return found;
}

export async function allRules(ground: Ground, bound: Bound, id: string): Promise<readonly RuleExecutionDetail[]> {
  const input = { pipelineName: bound.target.pipelineName, filter: { pipelineExecutionId: id }, maxResults: 100 };
  return pages(async (token) => {
    const next = token === undefined ? {} : { nextToken: token };
    const page = await ask(ground, bound, 'ListRuleExecutions', (api) => api.listRuleExecutions({ ...input, ...next }));
    return { items: page.ruleExecutionDetails ?? [], next: page.nextToken };
  });
}

/** A page may be shorter than what was asked for. */
export function newestExecutions(
  ground: Ground,
  bound: Bound,
  most: number,
): Promise<readonly PipelineExecutionSummary[]> {
  const input = { pipelineName: bound.target.pipelineName, maxResults: most };
  const fetchPage = async (token: string | undefined) => {
    const next = token === undefined ? {} : { nextToken: token };
    const page = await ask(ground, bound, 'ListPipelineExecutions', (api) =>
      api.listPipelineExecutions({ ...input, ...next }),
    );
    return { items: page.pipelineExecutionSummaries ?? [], next: page.nextToken };
  };
  return pages(fetchPage, most);
}

async function pages<T>(
  fetchPage: (token: string | undefined) => Promise<{ items: readonly T[]; next: string | undefined }>,
  most = Infinity,
): Promise<readonly T[]> {
  const all: T[] = [];
  let token: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const { items, next } = await fetchPage(token);
    all.push(...items);
    // An empty page may still have a successor.
    if (next === undefined || all.length >= most) break;
    token = next;
  }
  return all;
}

export function pipelineState(ground: Ground, bound: Bound): Promise<GetPipelineStateOutput> {
  const { pipelineName: name } = bound.target;
  return ask(ground, bound, 'GetPipelineState', (api) => api.getPipelineState({ name }));
}

/** Undefined while a new execution is not to be seen yet, and after its pipeline was deleted (CP-X-65, CP-X-69). */
export async function pipelineExecution(
  ground: Ground,
  bound: Bound,
  id: string,
): Promise<PipelineExecution | undefined> {
  const input = { pipelineName: bound.target.pipelineName, pipelineExecutionId: id };
  try {
    return (await ask(ground, bound, 'GetPipelineExecution', (api) => api.getPipelineExecution(input)))
      .pipelineExecution;
  } catch (error) {
    const isUnknown = error instanceof AwsRefusal && error.refusal.exception === 'PipelineExecutionNotFoundException';
    if (isUnknown || error instanceof NoSuchPipeline) return undefined;
    throw error;
  }
}

export async function declarationOf(ground: Ground, bound: Bound, version?: number): Promise<PipelineDefinition> {
  const input = { name: bound.target.pipelineName, ...(version === undefined ? {} : { version }) };
  const { pipeline } = await ask(ground, bound, 'GetPipeline', (api) => api.getPipeline(input));
  if (!pipeline) throw new Error(`GetPipeline answered without a pipeline for ${bound.target.pipelineName}`);
  return readDeclaration(pipeline);
}
