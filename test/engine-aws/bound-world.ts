import { sql } from 'kysely';
import { enqueueObservation } from '../../src/db/aws-executions.ts';
import type { OpenDatabase } from '../../src/db/open.ts';
import { freshName, startWorld, type World, type WorldOptions } from '../world.ts';
import { shop } from './bench.ts';
import { createFakeAws, role, type FakeAws, type FakeExecution } from './fake-aws.ts';

export interface BoundPipeline {
  readonly name: string;
  readonly starts: 'bot' | 'aws' | 'both';
  /** YAML of `on:`. */
  readonly on: string;
}

/** A world whose repository `<owner>/shop` is bound to pipelines of a fake AWS, called `<name>-prod` there. */
export interface BoundWorld {
  readonly world: World;
  readonly aws: FakeAws;
  readonly owner: string;
  readonly repository: string;
  readonly pullRequest: (branch: string, file?: string) => Promise<{ readonly sha: string; readonly number: number }>;
  /** As an event of AWS, or the next look of the polling, would have it. */
  readonly look: () => Promise<void>;
  readonly newest: (pipeline: string) => FakeExecution;
  readonly say: (number: number, login: string, body: string) => Promise<readonly string[]>;
}

// Far apart, so that a settled world stays settled: tests look when they want to.
const pace = { fastest: 60 * 60_000, slowestRunning: 60 * 60_000, slowestWaiting: 60 * 60_000 };
const budget = { admit: () => Promise.resolve(), spent: () => {}, throttled: () => Promise.resolve() };

export async function startBoundWorld(
  open: OpenDatabase,
  pipelines: readonly BoundPipeline[],
  {
    logins = ['dev', 'reviewer'],
    ...more
  }: Pick<WorldOptions, 'secrets'> & { readonly logins?: readonly string[] } = {},
): Promise<BoundWorld> {
  const aws = createFakeAws();
  const owner = freshName('acme');
  const repository = `${owner}/shop`;
  const config = pipelines.map(
    ({ name, starts, on }) => `  ${name}:\n    engine: aws\n    starts: ${starts}\n    on: ${on}\n`,
  );
  for (const { name } of pipelines) {
    const [source, ...rest] = shop.stages ?? [];
    const [app] = source?.actions ?? [];
    const actions = app ? [{ ...app, configuration: { FullRepositoryId: repository, BranchName: 'main' } }] : [];
    aws.declare({ ...shop, name: `${name}-prod`, stages: [{ name: 'Source', actions }, ...rest] });
  }
  const bindings = pipelines.map(({ name }) => ({
    repository: { owner, name: 'shop' },
    pipeline: name,
    aws: {
      account: '111122223333',
      region: 'eu-west-1',
      pipelineName: `${name}-prod`,
      roleArn: role,
      externalId: 'generated',
    },
  }));
  const side = { clients: aws.clients, pace, budget };
  const world = await startWorld({ database: open, server: { bindings }, aws: side, ...more });
  for (const login of logins) world.github.createAccount({ login: `${login}-${owner}` });
  const files = { '.github/penstock.yml': `pipelines:\n${config.join('')}`, 'README.md': 'hello\n' };
  await world.github.createRepository({ owner, name: 'shop', files });
  for (const login of logins) world.github.setPermission(repository, `${login}-${owner}`, 'write');
  world.github.install({ owner });
  await world.settled();
  return { world, aws, owner, repository, ...acts(open, world, { aws, owner, repository, pipelines }) };
}

function acts(
  open: OpenDatabase,
  world: World,
  around: Pick<BoundWorld, 'aws' | 'owner' | 'repository'> & { readonly pipelines: readonly BoundPipeline[] },
): Pick<BoundWorld, 'pullRequest' | 'look' | 'newest' | 'say'> {
  const { aws, owner, repository, pipelines } = around;
  const author = `dev-${owner}`;
  return {
    pullRequest: async (branch, file = 'README.md') => {
      const files = { [file]: `${branch}\n` };
      const sha = await world.github.commit(repository, { branch, author, message: 'Change', files });
      const number = await world.github.openPullRequest(repository, { head: branch, author, title: 'A change' });
      await world.settled();
      return { sha, number };
    },
    look: async () => {
      const { rows } = await sql<{ id: number }>`select id from repositories where owner = ${owner}`.execute(open.db);
      for (const { id: repositoryId } of rows) {
        for (const { name } of pipelines) await enqueueObservation(open.db, { repositoryId, pipeline: name }, 0);
      }
      await world.settled();
    },
    newest: (pipeline) => {
      const found = aws.executions.findLast((one) => one.pipeline === pipeline);
      if (!found) throw new Error(`AWS runs nothing of ${pipeline}`);
      return found;
    },
    say: async (number, login, body) => {
      const comment = await world.github.comment(repository, number, `${login}-${owner}`, body);
      await world.settled();
      return world.github.reactions(comment).map((one) => one.content);
    },
  };
}
