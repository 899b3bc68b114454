import type { Asker } from '../commands/authorize.ts';
import type { Channel } from '../commands/gate-policy.ts';
import type { CommandPrefix } from '../commands/verbs.ts';
import { loadDefinitions } from '../db/definitions.ts';
import { executionsOfPullRequest, type ExecutionRecord } from '../db/executions.ts';
import type { Deps } from '../deps.ts';
import { TransientError } from '../errors.ts';
import type { Account, Permission, PullRequest, RepositoryRef } from '../github/github.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Actor } from '../pipeline/execution.ts';
import type { Remembering } from './remembering-engine.ts';

/** A person asking something about one pull request (or one check run), with what is known when they ask. */
export interface Asked {
  readonly repository: RepositoryRef;
  /** Absent for a check run of a push that no pull request owns. */
  readonly pullRequest?: PullRequest;
  readonly person: Account;
  readonly permission: Permission | 'unknown';
  readonly by: Actor;
  readonly channel: Channel;
  /** What it came from, for example `issue-comment/42`; of a further line in it `issue-comment/42/2`: obeyed once. */
  readonly source: string;
  /** The whole comment or press, which was claimed (`human_commands`). */
  readonly claim: string;
  /** When it was said. */
  readonly createdAt: string;
  /** Of a review: the commit that was looked at. */
  readonly reviewed?: string;
  /** Executions that it may be about, newest first. */
  readonly records: readonly ExecutionRecord[];
  readonly definitions: Readonly<Record<string, PipelineDefinition>>;
  /** What an earlier try of this delivery asked of an engine. */
  readonly earlier?: Remembering['earlier'];
}

/** The person in the words of `authorize`. */
export function asker(asked: Asked): Asker {
  const { person, pullRequest, repository } = asked;
  return {
    id: person.id,
    login: person.login,
    bot: person.bot,
    permission: asked.permission,
    isAuthor: pullRequest?.author.id === person.id,
    fork: pullRequest !== undefined && pullRequest.headRepositoryId !== repository.id,
  };
}

/** What the person gets back: a reaction, and words only when a reaction cannot carry them. */
export interface Answer {
  readonly mark: 'rocket' | '+1' | '-1' | 'confused';
  readonly text?: string;
}

export type CommandDeps = Pick<
  Deps,
  'approvals' | 'db' | 'github' | 'engine' | 'log' | 'now' | 'publicUrl' | 'detailsUrl'
>;

export function done(text?: string): Answer {
  return { mark: 'rocket', ...(text === undefined ? {} : { text }) };
}

export function refused(text: string): Answer {
  return { mark: '-1', text };
}

export function informed(text: string): Answer {
  return { mark: '+1', text };
}

/** Executions of a pull request (its own lane's and the pushes that it owns) with their definitions. */
export async function knownExecutions(
  deps: Pick<Deps, 'db'>,
  repositoryId: number,
  number: number,
): Promise<Pick<Asked, 'records' | 'definitions'>> {
  const records = await executionsOfPullRequest(deps.db, repositoryId, number);
  const digests = [...new Set(records.map((record) => record.execution.definition))];
  return { records, definitions: await loadDefinitions(deps.db, digests) };
}

export function definitionOf(asked: Asked, record: ExecutionRecord): PipelineDefinition {
  const definition = asked.definitions[record.execution.definition];
  if (!definition) throw new Error(`the definition of execution ${record.execution.id} is not loaded`);
  return definition;
}

/** After this long GitHub's silence about a person is told to them instead of waited out (SEC-B-06). */
const patienceMs = 5 * 60_000;

/** Asked live, by the number of the account; `unknown` when GitHub could not be asked for minutes. */
export async function permissionNow(
  deps: Pick<Deps, 'github' | 'now'>,
  repository: RepositoryRef,
  person: Account,
  since: string,
): Promise<Permission | 'unknown'> {
  try {
    return await deps.github.permissionOf(repository, person.login, person.id);
  } catch (error) {
    const isLate = deps.now().getTime() - Date.parse(since) > patienceMs;
    if (error instanceof TransientError && isLate) return 'unknown';
    throw error;
  }
}

/** How lines to copy are written: the form that is always understood, unless what ran here says that the short one is. */
export function prefixOf({ records }: Pick<Asked, 'records'>): CommandPrefix {
  return records[0]?.context.bareCommands === true ? '/' : '/penstock ';
}

/** The newest execution of each pipeline, optionally of one. */
export function newestPerPipeline(asked: Pick<Asked, 'records'>, pipeline?: string): readonly ExecutionRecord[] {
  const newest = new Map<string, ExecutionRecord>();
  for (const record of asked.records) {
    if (pipeline !== undefined && record.execution.pipeline !== pipeline) continue;
    if (!newest.has(record.execution.pipeline)) newest.set(record.execution.pipeline, record);
  }
  return [...newest.values()];
}
