import { ApiError, notFound } from '../api-error.ts';
import { checkInput } from '../check-input.ts';
import { createCheckRun, rerequestRun, updateCheckRun } from '../checks.ts';
import { appBot } from '../people.ts';
import { checkRunPayload } from '../payloads/check.ts';
import { resolveCommit } from '../refs.ts';
import {
  created,
  listAnswer,
  numberParameter,
  ok,
  repositoryRoute,
  type Answer,
  type RepositoryCall,
  type Route,
} from '../route.ts';
import type { CheckRun } from '../state.ts';
import { newestRunsAt, runsAt } from '../suites.ts';

const read = ['checks:read'];
const write = ['checks:write'];

export const checkRunRoutes: readonly Route[] = [
  repositoryRoute('POST /check-runs', write, async (call) => {
    const run = await createCheckRun(call.site, call.repository, checkInput(call.body));
    return created(checkRunPayload(call.site, run));
  }),
  repositoryRoute('GET /check-runs/{check_run_id}', read, (call) => ok(checkRunPayload(call.site, runOf(call)))),
  repositoryRoute('PATCH /check-runs/{check_run_id}', write, async (call) => {
    const run = runOf(call);
    await updateCheckRun(call.site, run, checkInput(call.body, run.output.title));
    return ok(checkRunPayload(call.site, run));
  }),
  repositoryRoute('GET /check-runs/{check_run_id}/annotations', read, (call) =>
    listAnswer(call, runOf(call).output.annotations, (annotation) => ({
      start_column: null,
      end_column: null,
      title: null,
      raw_details: null,
      ...annotation,
      blob_href: `${call.site.url}/blob/${annotation.path}`,
    })),
  ),
  repositoryRoute('POST /check-runs/{check_run_id}/rerequest', write, async (call) => {
    const run = runOf(call);
    if (run.status !== 'completed') throw new ApiError(422, 'This check run is not rerequestable');
    await rerequestRun(call.site, run, appBot(call.site));
    return created({});
  }),
  repositoryRoute('GET /commits/{ref}/check-runs', read, async (call) => {
    const sha = await resolveCommit(call.repository, call.parameters['ref'] ?? '');
    if (sha === null) throw new ApiError(422, `No commit found for SHA: ${call.parameters['ref']}`);
    const all = call.query.get('filter') === 'all';
    const runs = all ? runsAt(call.site, call.repository, sha) : newestRunsAt(call.site, call.repository, sha);
    return listRuns(call, runs);
  }),
];

function runOf(call: RepositoryCall): CheckRun {
  const run = call.site.state.checkRuns.get(numberParameter(call, 'check_run_id'));
  if (run === undefined || run.suite.repository !== call.repository) throw notFound();
  return run;
}

/** Filters: check_name, status, app_id. */
export function listRuns(call: RepositoryCall, runs: readonly CheckRun[]): Promise<Answer> {
  const name = call.query.get('check_name');
  const status = call.query.get('status');
  const app = call.query.get('app_id');
  const wanted = runs.filter(
    (run) =>
      (name === null || run.name === name) &&
      (status === null || run.status === status) &&
      (app === null || app === String(call.site.app.id)),
  );
  return listAnswer(
    call,
    wanted,
    (run) => checkRunPayload(call.site, run),
    (page) => ({ total_count: wanted.length, check_runs: page }),
  );
}
