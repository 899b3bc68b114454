import type { Stage } from '../stage.ts';
import type { World } from '../world.ts';

/** More people of a stage: an account and, unless said otherwise, write access. */
export function addPerson(
  world: World,
  stage: Stage,
  name: string,
  role: 'write' | 'admin' | 'read' | 'none' = 'write',
) {
  const login = `${name}-${stage.owner}`;
  const account = world.github.createAccount({ login });
  world.github.setPermission(stage.repository, login, role);
  return account;
}

/** A configuration whose gate has this policy, in the words of the file. Pushes start nothing. */
export function configWithGate(policy: string, more = ''): string {
  return `pipelines:
  web:
    definition: ci/web.pipeline.json
    on:
      pullRequest: [{ events: [OPEN, UPDATED], branches: { includes: [main, next] } }]
    gates:
      Release/Approve: ${policy}
${more}`;
}

/** Of the newest run of that name. */
export function summary(world: World, stage: Stage, sha: string, name = 'web / Release'): string {
  return world.github.checks(stage.repository, sha).find((one) => one.name === name)?.summary ?? '';
}

export function replies(world: World, stage: Stage, number: number): readonly string[] {
  return world.github
    .comments(stage.repository, number)
    .filter(({ author }) => author.endsWith('[bot]'))
    .map(({ body }) => body);
}

/** A pull request from an outsider's fork, settled. */
export async function forkPullRequest(world: World, stage: Stage, files: Readonly<Record<string, string>> = {}) {
  const { github } = world;
  const outsider = `outsider-${stage.owner}`;
  github.createAccount({ login: outsider });
  const fork = await github.forkRepository(stage.repository, outsider);
  const change = { branch: 'patch', author: outsider, message: 'Help', files: { 'run.sh': 'echo hi\n', ...files } };
  const sha = await github.commit(fork.fullName, change);
  const number = await github.openPullRequest(stage.repository, {
    head: `${outsider}:patch`,
    author: outsider,
    title: 'Help',
  });
  await world.settled();
  return { number, sha, fork: fork.fullName, outsider };
}
