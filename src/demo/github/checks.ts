/** Writing check runs. A completed run stays completed; whoever wants to move on posts a new one of the same name. */
import { invalid } from './api-error.ts';
import type { CheckInput } from './check-input.ts';
import { tell } from './events.ts';
import { findCommit } from './git-read.ts';
import { appBot } from './people.ts';
import { checkRunEvent, checkSuiteEvent } from './payloads/check.ts';
import type { Site } from './site.ts';
import type { Account, CheckRun, CheckSuite, Repository } from './state.ts';
import { ensureSuite, suiteRuns, suiteStatus } from './suites.ts';

const mostOfOneName = 1000;

export async function createCheckRun(site: Site, repository: Repository, input: CheckInput): Promise<CheckRun> {
  if (input.name === undefined || input.name === '') throw missing('name');
  if (input.headSha === undefined) throw missing('head_sha');
  const sha = input.headSha.length === 40 ? await findCommit(repository.path, input.headSha) : null;
  if (sha === null) throw invalid(`No commit found for SHA: ${input.headSha}`);
  const suite = ensureSuite(site, repository, sha);
  const run: CheckRun = {
    id: site.state.nextId(),
    suite,
    name: input.name,
    externalId: '',
    detailsUrl: site.url,
    status: 'queued',
    conclusion: null,
    startedAt: site.now(),
    completedAt: null,
    output: { title: null, summary: null, text: null, annotations: [] },
    actions: [],
  };
  site.state.checkRuns.set(run.id, run);
  forgetOldest(site, run);
  change(site, run, input);
  await announce(site, run, 'created');
  if (run.status === 'completed') await completed(site, run);
  return run;
}

function missing(field: string): Error {
  const message = `${field} wasn't supplied`;
  return invalid(`Invalid request.\n\n"${field}" wasn't supplied.`, [
    { resource: 'CheckRun', code: 'missing_field', field, message },
  ]);
}

function forgetOldest(site: Site, run: CheckRun): void {
  const same = suiteRuns(site, run.suite).filter(({ name }) => name === run.name);
  for (const old of same.slice(0, Math.max(0, same.length - mostOfOneName))) site.state.checkRuns.delete(old.id);
}

export async function updateCheckRun(site: Site, run: CheckRun, input: CheckInput): Promise<void> {
  const wasCompleted = run.status === 'completed';
  change(site, run, input);
  if (!wasCompleted && run.status === 'completed') await completed(site, run);
}

function change(site: Site, run: CheckRun, input: CheckInput): void {
  run.name = input.name ?? run.name;
  run.externalId = input.externalId ?? run.externalId;
  run.detailsUrl = input.detailsUrl ?? run.detailsUrl;
  run.startedAt = input.startedAt ?? run.startedAt;
  run.actions = input.actions ?? run.actions;
  if (run.status !== 'completed') run.status = input.status ?? run.status;
  if (input.conclusion !== undefined) run.conclusion = input.conclusion;
  if (run.status === 'completed') run.completedAt = input.completedAt ?? run.completedAt ?? site.now();
  if (input.output !== undefined) {
    const { title, summary, text, annotations } = input.output;
    run.output = { title, summary, text: text ?? null, annotations: [...run.output.annotations, ...annotations] };
  }
  run.suite.reset = false;
  run.suite.updatedAt = site.now();
}

async function announce(site: Site, run: CheckRun, action: 'created' | 'completed'): Promise<void> {
  await tell(site, run.suite.repository, 'check_run', appBot(site), () => ({
    action,
    check_run: checkRunEvent(site, run),
  }));
}

async function completed(site: Site, run: CheckRun): Promise<void> {
  await announce(site, run, 'completed');
  if (suiteStatus(site, run.suite) === 'completed') await tellSuite(site, run.suite, 'completed', appBot(site));
}

export async function tellSuite(
  site: Site,
  suite: CheckSuite,
  action: 'requested' | 'rerequested' | 'completed',
  by: Account,
): Promise<void> {
  await tell(site, suite.repository, 'check_suite', by, async () => ({
    action,
    check_suite: await checkSuiteEvent(site, suite),
  }));
}

/** The suite goes back to queued and loses its conclusion; the run stays as it was. */
export async function rerequestRun(site: Site, run: CheckRun, by: Account): Promise<void> {
  run.suite.reset = true;
  run.suite.updatedAt = site.now();
  await tell(site, run.suite.repository, 'check_run', by, () => ({
    action: 'rerequested',
    check_run: checkRunEvent(site, run),
  }));
}

export async function rerequestSuite(site: Site, suite: CheckSuite, by: Account): Promise<void> {
  suite.reset = true;
  suite.updatedAt = site.now();
  await tellSuite(site, suite, 'rerequested', by);
}
