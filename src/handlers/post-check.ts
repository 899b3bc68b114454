import { createHash } from 'node:crypto';
import {
  intendCheckRun,
  newestCheckRun,
  recordCheckRunSent,
  shownCheckRun,
  type CheckRunRecord,
} from '../db/check-runs.ts';
import type { Deps } from '../deps.ts';
import type { CheckRunDraft, RepositoryRef } from '../github/github.ts';
import type { CheckRunView } from '../render/check-run.ts';

/** Whose check it is: an execution's, or one that stands for no execution. */
export interface CheckKey {
  readonly repository: RepositoryRef;
  readonly headSha: string;
  readonly execution: string | null;
  /**
   * How often what the check shows was begun anew. A retry may fail again before anybody looked: it gets a run of its
   * own all the same, because GitHub waits for one after its own re-run.
   */
  readonly round?: number;
  /** Also when it was posted before and something else covers it by now: as a new run. */
  readonly onTop?: boolean;
}

/**
 * Makes GitHub show the view. Sends nothing when the newest run shows it already. A completed run is never reopened:
 * when the verdict moves on, a new run of the same name is posted. The intent row comes before the call, and the
 * adapter reads back after an unclear answer, so a crash in between does not post twice (SEC R12).
 */
export async function postCheck(
  deps: Pick<Deps, 'db' | 'github'>,
  key: CheckKey,
  view: CheckRunView,
): Promise<'same' | 'sent'> {
  const round = key.round ?? 0;
  const digest = `${round}.${createHash('sha256').update(JSON.stringify(view)).digest('hex')}`;
  const newest = await newestCheckRun(deps.db, {
    repositoryId: key.repository.id,
    headSha: key.headSha,
    executionId: key.execution,
    name: view.name,
  });
  const covered = key.onTop === true && newest !== null && (await isCovered(deps, key, newest));
  if (newest?.sentDigest === digest && !covered) return 'same';
  const sent = { digest, status: view.status, conclusion: view.conclusion ?? null };
  if (newest && newest.githubId !== null && !covered && !movesOn(newest, view, round)) {
    await deps.github.updateCheckRun(key.repository, newest.githubId, draftOf(key, view, newest.n));
    await recordCheckRunSent(deps.db, newest.id, { ...sent, githubId: newest.githubId });
    return 'sent';
  }
  const intent = newest && newest.githubId === null ? newest : await intend(deps, key, view, (newest?.n ?? 0) + 1);
  const posted = await deps.github.postCheckRun(key.repository, draftOf(key, view, intent.n));
  await recordCheckRunSent(deps.db, intent.id, { ...sent, githubId: posted.id });
  return 'sent';
}

async function isCovered(deps: Pick<Deps, 'db'>, key: CheckKey, { name, id }: CheckRunRecord): Promise<boolean> {
  const shown = await shownCheckRun(deps.db, { repositoryId: key.repository.id, headSha: key.headSha, name });
  return shown !== null && shown.id !== id;
}

function movesOn(newest: CheckRunRecord, view: CheckRunView, round: number): boolean {
  if (newest.status !== 'completed') return false;
  const shownRound = Number(newest.sentDigest?.split('.')[0] ?? round);
  return view.status !== 'completed' || view.conclusion !== newest.conclusion || shownRound !== round;
}

function intend(deps: Pick<Deps, 'db'>, key: CheckKey, view: CheckRunView, n: number): Promise<CheckRunRecord> {
  return intendCheckRun(deps.db, {
    repositoryId: key.repository.id,
    headSha: key.headSha,
    executionId: key.execution,
    stage: view.stage,
    name: view.name,
    n,
  });
}

function draftOf(key: CheckKey, { stage, ...run }: CheckRunView, n: number): CheckRunDraft {
  const subject = key.execution ?? `commit-${key.headSha.slice(0, 12)}`;
  return { ...run, headSha: key.headSha, externalId: `${subject}/${stage}/${n}` };
}
