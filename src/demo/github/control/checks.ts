import { rerequestRun, rerequestSuite } from '../checks.ts';
import { tell } from '../events.ts';
import { checkRunEvent } from '../payloads/check.ts';
import { roleOf } from '../people.ts';
import type { Site } from '../site.ts';
import type { Account, CheckAction, CheckAnnotation, CheckRun, CheckStatus, Repository } from '../state.ts';
import { newestRunsAt, runsAt, suiteConclusion, suiteStatus, suitesOf } from '../suites.ts';
import { accountNamed, repositoryNamed } from './people.ts';

export interface CheckRunView {
  readonly id: number;
  readonly name: string;
  readonly headSha: string;
  readonly externalId: string;
  readonly detailsUrl: string;
  readonly status: CheckStatus;
  readonly conclusion: string | null;
  readonly startedAt: string;
  readonly completedAt: string | null;
  readonly title: string | null;
  readonly summary: string | null;
  readonly text: string | null;
  readonly annotations: readonly CheckAnnotation[];
  /** As written by the App. */
  readonly actions: readonly CheckAction[];
  /** As people see them: none before the run is completed. */
  readonly buttons: readonly CheckAction[];
}

export interface CheckControl {
  /** The newest run of each name, newest first. */
  checks(repository: string, sha: string): readonly CheckRunView[];
  /** Every run, newest first. */
  allCheckRuns(repository: string, sha: string): readonly CheckRunView[];
  suite(repository: string, sha: string): { readonly status: CheckStatus; readonly conclusion: string | null } | null;
  /** Throws when the page would not offer that button to that person. */
  clickButton(
    repository: string,
    click: { readonly checkName: string; readonly sha: string; readonly identifier: string; readonly login: string },
  ): Promise<void>;
  rerequestCheck(
    repository: string,
    check: { readonly checkName: string; readonly sha: string; readonly login: string },
  ): Promise<void>;
  rerequestSuite(repository: string, suite: { readonly sha: string; readonly login: string }): Promise<void>;
}

export function checkControl(site: Site): CheckControl {
  return {
    checks: (repository, sha) => newestRunsAt(site, repositoryNamed(site, repository), sha).map(view),
    allCheckRuns: (repository, sha) => runsAt(site, repositoryNamed(site, repository), sha).map(view),
    suite(repository, sha) {
      const suite = suitesOf(site, repositoryNamed(site, repository), sha)[0];
      return suite === undefined
        ? null
        : { status: suiteStatus(site, suite), conclusion: suiteConclusion(site, suite) };
    },
    async clickButton(repository, { checkName, sha, identifier, login }) {
      const found = repositoryNamed(site, repository);
      const who = writer(site, found, login);
      const run = newestNamed(site, found, sha, checkName);
      if (!buttonsOf(run).some((button) => button.identifier === identifier)) {
        throw new Error(`${checkName} is ${run.status} and shows no button ${identifier}`);
      }
      await tell(site, found, 'check_run', who, () => ({
        action: 'requested_action',
        requested_action: { identifier },
        check_run: checkRunEvent(site, run),
      }));
    },
    async rerequestCheck(repository, { checkName, sha, login }) {
      const found = repositoryNamed(site, repository);
      const who = writer(site, found, login);
      const run = newestNamed(site, found, sha, checkName);
      if (run.status !== 'completed')
        throw new Error(`${checkName} is ${run.status}: only a completed run shows Re-run`);
      await rerequestRun(site, run, who);
    },
    async rerequestSuite(repository, { sha, login }) {
      const found = repositoryNamed(site, repository);
      const suite = suitesOf(site, found, sha)[0];
      if (suite === undefined) throw new Error(`no check suite on ${sha}`);
      await rerequestSuite(site, suite, writer(site, found, login));
    },
  };
}

/** The page shows buttons to people with write access only. */
function writer(site: Site, repository: Repository, login: string): Account {
  const who = accountNamed(site, login);
  const role = roleOf(repository, who);
  if (!['write', 'maintain', 'admin'].includes(role))
    throw new Error(`${login} has ${role} access and sees no buttons`);
  return who;
}

function newestNamed(site: Site, repository: Repository, sha: string, name: string): CheckRun {
  const runs = newestRunsAt(site, repository, sha);
  const run = runs.find((one) => one.name === name);
  if (run !== undefined) return run;
  throw new Error(`no check run ${name} on ${sha}; there are: ${runs.map((one) => one.name).join(', ') || 'none'}`);
}

function buttonsOf(run: CheckRun): readonly CheckAction[] {
  return run.status === 'completed' ? run.actions : [];
}

function view(run: CheckRun): CheckRunView {
  const { id, name, externalId, detailsUrl, status, conclusion, output, actions } = run;
  return {
    id,
    name,
    headSha: run.suite.headSha,
    externalId,
    detailsUrl,
    status,
    conclusion,
    startedAt: run.startedAt.toISOString(),
    completedAt: run.completedAt?.toISOString() ?? null,
    ...output,
    actions,
    buttons: buttonsOf(run),
  };
}
