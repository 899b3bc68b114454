import type { Site } from '../site.ts';
import type { CheckRun, CheckSuite, PullRequest } from '../state.ts';
import { suiteConclusion, suiteRuns, suiteStatus } from '../suites.ts';
import { appPayload, nodeId, time, type Payload } from './account.ts';
import { headCommitPayload } from './commit.ts';
import { pullRequestMention } from './pull-request.ts';
import { pageUrl, repositoryPayload, repositoryUrl } from './repository.ts';

/** Pushes to forks are not seen: only open pull requests whose head lives in this repository are listed. */
function mentions(site: Site, suite: CheckSuite): readonly Payload[] {
  return openPullRequestsAt(suite).map((pull) => pullRequestMention(site, pull));
}

function openPullRequestsAt({ repository, headSha }: CheckSuite): readonly PullRequest[] {
  return [...repository.pullRequests.values()].filter(
    (pull) => pull.state === 'open' && pull.head.sha === headSha && pull.head.repository === repository,
  );
}

export function checkRunPayload(site: Site, run: CheckRun): Payload {
  const { repository, headSha } = run.suite;
  const url = `${repositoryUrl(site, repository)}/check-runs/${run.id}`;
  return {
    id: run.id,
    node_id: nodeId('CR', run.id),
    head_sha: headSha,
    name: run.name,
    external_id: run.externalId,
    url,
    html_url: `${pageUrl(site, repository)}/runs/${run.id}`,
    details_url: run.detailsUrl,
    status: run.status,
    conclusion: run.conclusion,
    started_at: time(run.startedAt),
    completed_at: run.completedAt === null ? null : time(run.completedAt),
    output: {
      title: run.output.title,
      summary: run.output.summary,
      text: run.output.text,
      annotations_count: run.output.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suite.id },
    app: appPayload(site),
    pull_requests: mentions(site, run.suite),
  };
}

/** In an event the run carries its suite. */
export function checkRunEvent(site: Site, run: CheckRun): Payload {
  const { suite } = run;
  return {
    ...checkRunPayload(site, run),
    check_suite: {
      id: suite.id,
      node_id: nodeId('CS', suite.id),
      head_branch: suite.headBranch,
      head_sha: suite.headSha,
      status: suiteStatus(site, suite),
      conclusion: suiteConclusion(site, suite),
      url: `${repositoryUrl(site, suite.repository)}/check-suites/${suite.id}`,
      before: suite.before,
      after: suite.headSha,
      pull_requests: mentions(site, suite),
      app: appPayload(site),
      created_at: time(suite.createdAt),
      updated_at: time(suite.updatedAt),
    },
  };
}

/** In an event, without the repository; the REST API adds it. */
export async function checkSuiteEvent(site: Site, suite: CheckSuite): Promise<Payload> {
  const url = `${repositoryUrl(site, suite.repository)}/check-suites/${suite.id}`;
  return {
    id: suite.id,
    node_id: nodeId('CS', suite.id),
    head_branch: suite.headBranch,
    head_sha: suite.headSha,
    status: suiteStatus(site, suite),
    conclusion: suiteConclusion(site, suite),
    url,
    before: suite.before,
    after: suite.headSha,
    pull_requests: mentions(site, suite),
    app: appPayload(site),
    created_at: time(suite.createdAt),
    updated_at: time(suite.updatedAt),
    rerequestable: true,
    runs_rerequestable: true,
    latest_check_runs_count: suiteRuns(site, suite).length,
    check_runs_url: `${url}/check-runs`,
    head_commit: await headCommitPayload(suite.repository, suite.headSha),
  };
}

export async function checkSuitePayload(site: Site, suite: CheckSuite): Promise<Payload> {
  return { ...(await checkSuiteEvent(site, suite)), repository: repositoryPayload(site, suite.repository) };
}
