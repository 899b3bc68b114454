import { z } from 'zod';
import { GitHubRefusal, Unclear } from './api-errors.ts';
import type { Client } from './client.ts';
import type { CheckRunDraft, CheckRunRef, GitHub, RepositoryRef } from './github.ts';
import { allPages, named, on, orNull } from './paging.ts';
import { id, optionalText, text } from './shapes.ts';
import { createBody, minimal, mostAnnotationsPerCall, updateBody } from './check-body.ts';

const run = z
  .object({
    id,
    name: text,
    external_id: optionalText,
    status: z.string(),
    conclusion: z.string().nullish(),
  })
  .transform((shape): CheckRunRef => ({
    id: shape.id,
    name: shape.name,
    externalId: shape.external_id,
    status: statusOf(shape.status),
    conclusion: (shape.conclusion ?? null) as CheckRunRef['conclusion'],
  }));
const runs = z.object({ check_runs: z.array(run) });

type Checks = Pick<GitHub, 'postCheckRun' | 'updateCheckRun' | 'checkRunsOf'>;

export function checkVerbs(client: Client): Checks {
  const verbs: Checks = {
    checkRunsOf: (repository, sha, name) => runsOf(client, repository, sha, name),
    async postCheckRun(repository, draft) {
      // An earlier call may have worked without our hearing of it (SEC R12, F-12).
      const earlier = await findRun(client, repository, draft);
      if (earlier) {
        await verbs.updateCheckRun(repository, earlier.id, draft);
        return earlier;
      }
      const made = await create(client, repository, draft);
      await addAnnotations(client, repository, made.id, draft, mostAnnotationsPerCall);
      return made;
    },
    async updateCheckRun(repository, number, draft) {
      const shown = draft.annotations.length > 0 ? await annotationsShown(client, repository, number) : 0;
      if (shown === null || !(await update(client, repository, number, draft, shown))) {
        await replace(client, repository, draft);
        return;
      }
      await addAnnotations(client, repository, number, draft, shown + mostAnnotationsPerCall);
    },
  };
  return verbs;
}

/** Newest first. `filter: all`, because GitHub otherwise shows only the newest run of a name. */
async function runsOf(client: Client, repository: RepositoryRef, sha: string, name?: string): Promise<CheckRunRef[]> {
  const parameters = {
    ...named(repository),
    ref: sha,
    filter: 'all',
    app_id: client.appId,
    ...(name !== undefined && { check_name: name }),
  };
  const route = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs';
  const pages = await allPages(
    client,
    on(repository, 'checks'),
    route,
    parameters,
    runs,
    (page) => page.check_runs,
    10,
  );
  return pages.flatMap((page) => page.check_runs).sort((a, b) => b.id - a.id);
}

async function findRun(
  client: Client,
  repository: RepositoryRef,
  draft: CheckRunDraft,
): Promise<CheckRunRef | undefined> {
  const known = await orNull(runsOf(client, repository, draft.headSha, draft.name), [404, 422]);
  return known?.find((run) => run.externalId === draft.externalId);
}

async function create(client: Client, repository: RepositoryRef, draft: CheckRunDraft): Promise<CheckRunRef> {
  const route = 'POST /repos/{owner}/{repo}/check-runs';
  const post = (body: CheckRunDraft) =>
    client.ask(on(repository, 'checks'), route, { ...named(repository), ...createBody(body) }, run);
  try {
    return await post(draft).catch((error: unknown) => whenInvalid(error, () => post(minimal(draft))));
  } catch (error) {
    if (!(error instanceof Unclear)) throw error;
    const made = await findRun(client, repository, draft).catch(() => undefined);
    if (made) return made;
    throw error;
  }
}

/** False when GitHub has no such run any more. */
async function update(
  client: Client,
  repository: RepositoryRef,
  number: number,
  draft: CheckRunDraft,
  shown: number,
): Promise<boolean> {
  const send = (body: CheckRunDraft) => patch(client, repository, number, updateBody(body, shown));
  const done = await orNull(send(draft).catch((error: unknown) => whenInvalid(error, () => send(minimal(draft)))));
  return done !== null;
}

function patch(client: Client, repository: RepositoryRef, number: number, body: Readonly<Record<string, unknown>>) {
  const route = 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}';
  const parameters = { ...named(repository), check_run_id: number, ...body };
  return client.ask(on(repository, 'checks'), route, parameters, run);
}

/** GitHub deletes old runs; the verdict is then told by a new one (SEC-F-19). */
async function replace(client: Client, repository: RepositoryRef, draft: CheckRunDraft): Promise<void> {
  const newer = await findRun(client, repository, draft);
  const number = newer?.id ?? (await create(client, repository, draft)).id;
  if (newer) await patch(client, repository, number, updateBody(draft, draft.annotations.length));
}

/** GitHub takes 50 annotations a call and adds them to those that are there. */
async function addAnnotations(
  client: Client,
  repository: RepositoryRef,
  number: number,
  draft: CheckRunDraft,
  from: number,
): Promise<void> {
  for (let at = from; at < draft.annotations.length; at += mostAnnotationsPerCall) {
    await patch(client, repository, number, { output: updateBody(draft, at)['output'] });
  }
}

const annotated = z.object({ output: z.object({ annotations_count: z.int().nonnegative() }) });

/** How many annotations GitHub has: a repeated update must not add them again. Null: there is no such run. */
async function annotationsShown(client: Client, repository: RepositoryRef, number: number): Promise<number | null> {
  const route = 'GET /repos/{owner}/{repo}/check-runs/{check_run_id}';
  const parameters = { ...named(repository), check_run_id: number };
  const found = await orNull(client.ask(on(repository, 'checks'), route, parameters, annotated));
  return found?.output.annotations_count ?? null;
}

/** A verdict without its details is better than a check that hangs (SEC-F-16). */
function whenInvalid<T>(error: unknown, fallback: () => Promise<T>): Promise<T> {
  if (error instanceof GitHubRefusal && error.status === 422) return fallback();
  throw error;
}

/** `waiting`, `requested` and `pending` belong to GitHub Actions. */
function statusOf(status: string): CheckRunRef['status'] {
  return status === 'completed' || status === 'in_progress' ? status : 'queued';
}
