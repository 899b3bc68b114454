import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { findAudit } from '../../src/db/audit.ts';
import { installRepositories } from '../../src/db/repositories.ts';
import { decisionsFor } from '../../src/db/start-decisions.ts';
import type { CheckRunDraft, GitHub, PullRequest } from '../../src/github/github.ts';
import { reconcilePullRequest } from '../../src/handlers/pull-request.ts';
import { emptyTables, testDatabase } from '../database.ts';
import { aPipeline } from '../engine/a-pipeline.ts';
import { lightRepository } from '../seeds.ts';

const { db } = await testDatabase();
const repository = { id: 42, owner: 'acme', name: 'web', installationId: 7 };
const dev = { id: 1, login: 'dev', bot: false };
const head = 'a'.repeat(40);
const pullRequest: PullRequest = {
  number: 5,
  title: 'A change',
  state: 'open',
  merged: false,
  draft: false,
  author: dev,
  headSha: head,
  headRef: 'feature',
  headRepositoryId: repository.id,
  baseRef: 'main',
  baseSha: 'b'.repeat(40),
  mergeSha: null,
};
const look = { sender: dev, action: 'opened', delivery: 'delivery-1' } as const;

beforeEach(() => emptyTables(db));

/** Looks at the pull request as its webhook does; answers the check runs that were posted. */
async function reconcile(config: string, touched: string, pull: PullRequest = pullRequest) {
  await installRepositories(db, [repository]);
  const files: Readonly<Record<string, string>> = lightRepository('acme', { config });
  const posted: CheckRunDraft[] = [];
  const github: Partial<GitHub> = {
    pullRequest: () => Promise.resolve(pull),
    branchHead: () => Promise.resolve({ sha: pullRequest.baseSha, message: '' }),
    readFile: (_repository, path) => Promise.resolve(files[path] ?? null),
    changedFiles: () => Promise.resolve({ paths: [touched], truncated: false }),
    postCheckRun: (_repository, run) => {
      posted.push(run);
      return Promise.resolve({ ...run, id: posted.length, conclusion: run.conclusion ?? null });
    },
  };
  const nothing = () => Promise.reject(new Error('nothing may start'));
  const definition = aPipeline({ Source: { App: 'CodeStarSourceConnection' } });
  const outcome = await reconcilePullRequest(
    {
      db,
      // Any other call would be a mistake of the handler, and fails as one.
      github: github as GitHub,
      engine: { start: nothing, obey: nothing, refresh: nothing },
      aws: {
        definitionOf: () => Promise.resolve(definition),
        observe: nothing,
        adopt: nothing,
        adoptRollback: nothing,
        idleLookMs: () => 0,
        logTail: nothing,
        pipelinesOf: () => ['web'],
      },
      approvals: { allowAuthor: false, allowLastPusher: false, allowCommitters: false },
      log: pino({ level: 'silent' }),
      publicUrl: 'https://penstock.example',
      now: () => new Date('2026-11-23T04:00:00Z'),
    },
    repository,
    pullRequest.number,
    look,
  );
  return { outcome, posted };
}

const filtered = `pipelines:
  web:
    definition: ci/web.pipeline.json
    on: { pullRequest: [{ filePaths: { excludes: ["docs/**"] } }] }
`;

test('a pull request that the filters leave out is remembered as filtered, with the delivery that asked, and its check says why', async () => {
  const { outcome, posted } = await reconcile(filtered, 'docs/index.md');
  const [decision, ...more] = await decisionsFor(db, repository.id, { pullRequest: 5 });
  expect(more).toEqual([]);
  expect(decision).toMatchObject({ pipeline: 'web', headSha: head, outcome: 'filtered', delivery: 'delivery-1' });
  expect(decision).toMatchObject({ execution: null, pullRequest: 5 });
  expect(decision?.reason).toContain('docs/**');
  expect(outcome.reason).toBe(`web: left out, ${decision?.reason}`);
  expect(posted).toMatchObject([{ name: 'web', headSha: head, status: 'completed', conclusion: 'skipped' }]);
  expect(posted[0]?.summary).toContain('docs/');
  expect(await findAudit(db, { repositoryId: 42, pullRequest: 5, limit: 9 })).toMatchObject([
    { who: 'dev', what: 'start-filtered', why: decision?.reason, detail: { delivery: 'delivery-1', headSha: head } },
  ]);
});

test('a head in any other repository, or in none that is left, is a fork and waits (SEC-C-05)', async () => {
  // The same owner has the next number too: nothing but the repository itself is trusted.
  for (const headRepositoryId of [null, 43]) {
    await emptyTables(db);
    const { posted } = await reconcile(filtered, 'src/index.ts', { ...pullRequest, headRepositoryId });
    expect(posted).toMatchObject([{ name: 'web', headSha: head, conclusion: 'action_required' }]);
    expect(posted[0]?.title).toMatch(/^From a fork/);
    expect(await decisionsFor(db, repository.id, { pullRequest: 5 })).toMatchObject([{ outcome: 'held' }]);
  }
});

test('one that AWS starts by itself is remembered as held, and no check pretends that it ran', async () => {
  const config = 'pipelines:\n  web:\n    engine: aws\n    starts: aws\n    on: { pullRequest: [{}] }\n';
  const { outcome, posted } = await reconcile(config, 'src/index.ts');
  expect(await decisionsFor(db, repository.id, { pullRequest: 5 })).toMatchObject([
    {
      pipeline: 'web',
      headSha: head,
      pullRequest: 5,
      outcome: 'held',
      reason: 'only AWS starts it (starts: aws)',
      delivery: 'delivery-1',
      execution: null,
    },
  ]);
  expect(outcome.reason).toBe('web: only AWS starts it (starts: aws)');
  expect(posted).toEqual([]);
  expect(await findAudit(db, { repositoryId: 42, pullRequest: 5, limit: 9 })).toMatchObject([
    { who: 'dev', what: 'start-held', why: 'only AWS starts it (starts: aws)' },
  ]);
});

test('a broken configuration or definition is remembered with its pull request and the delivery, so its audit has it', async () => {
  for (const [config, pipeline, where] of [
    ['pipelines: []\n', 'penstock', '.github/penstock.yml'],
    ['pipelines:\n  web:\n    definition: ci/none.json\n    on: { pullRequest: [{}] }\n', 'web', 'ci/none.json'],
  ] as const) {
    await emptyTables(db);
    const { posted } = await reconcile(config, 'src/index.ts');
    expect(posted).toMatchObject([{ name: pipeline, conclusion: 'failure' }]);
    expect(await decisionsFor(db, repository.id, { pullRequest: 5 })).toMatchObject([
      { pipeline, outcome: 'broken', delivery: 'delivery-1' },
    ]);
    const [row, ...more] = await findAudit(db, { repositoryId: 42, pullRequest: 5, limit: 9 });
    expect(more).toEqual([]);
    expect(row).toMatchObject({ what: 'start-broken', detail: { pipeline, delivery: 'delivery-1' } });
    expect(row?.why).toContain(where);
  }
});
