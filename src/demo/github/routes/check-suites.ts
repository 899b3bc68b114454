import { invalid, notFound } from '../api-error.ts';
import { rerequestSuite } from '../checks.ts';
import { appBot } from '../people.ts';
import { checkSuitePayload } from '../payloads/check.ts';
import { resolveCommit } from '../refs.ts';
import {
  created,
  listAnswer,
  numberParameter,
  ok,
  repositoryRoute,
  textField,
  type RepositoryCall,
  type Route,
} from '../route.ts';
import type { CheckSuite } from '../state.ts';
import { ensureSuite, newestRuns, suiteRuns, suitesOf } from '../suites.ts';
import { listRuns } from './check-runs.ts';

const read = ['checks:read'];
const write = ['checks:write'];

export const checkSuiteRoutes: readonly Route[] = [
  repositoryRoute('POST /check-suites', write, async (call) => {
    const sha = await resolveCommit(call.repository, textField(call, 'head_sha') ?? '');
    if (sha === null) throw invalid(`No commit found for SHA: ${textField(call, 'head_sha')}`);
    const known = suitesOf(call.site, call.repository, sha).length > 0;
    const suite = await checkSuitePayload(call.site, ensureSuite(call.site, call.repository, sha));
    return known ? ok(suite) : created(suite);
  }),
  repositoryRoute('GET /check-suites/{check_suite_id}', read, async (call) =>
    ok(await checkSuitePayload(call.site, suiteOf(call))),
  ),
  repositoryRoute('GET /check-suites/{check_suite_id}/check-runs', read, (call) => {
    const runs = suiteRuns(call.site, suiteOf(call));
    const all = call.query.get('filter') === 'all';
    return listRuns(call, all ? [...runs].reverse() : newestRuns(runs));
  }),
  repositoryRoute('POST /check-suites/{check_suite_id}/rerequest', write, async (call) => {
    await rerequestSuite(call.site, suiteOf(call), appBot(call.site));
    return created({});
  }),
  repositoryRoute('GET /commits/{ref}/check-suites', read, async (call) => {
    const sha = await resolveCommit(call.repository, call.parameters['ref'] ?? '');
    if (sha === null) throw invalid(`No commit found for SHA: ${call.parameters['ref']}`);
    const suites = suitesOf(call.site, call.repository, sha);
    const shape = (suite: CheckSuite) => checkSuitePayload(call.site, suite);
    return listAnswer(call, suites, shape, (page) => ({ total_count: suites.length, check_suites: page }));
  }),
];

function suiteOf(call: RepositoryCall): CheckSuite {
  const suite = call.site.state.checkSuites.get(numberParameter(call, 'check_suite_id'));
  if (suite === undefined || suite.repository !== call.repository) throw notFound();
  return suite;
}
