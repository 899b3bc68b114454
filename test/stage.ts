import { lightRepository, type LightChange } from './seeds.ts';
import { freshName, type World } from './world.ts';

/** A repository of its own for one test, with a developer, a reviewer and a reader, and the App installed. */
export interface Stage {
  readonly owner: string;
  /** owner/web */
  readonly repository: string;
  /** One commit on a branch; the branch begins at main. */
  commit(branch: string, files: Readonly<Record<string, string | null>>, message?: string): Promise<string>;
  /** A branch with one commit and an open pull request, settled. */
  pullRequest(
    files?: Readonly<Record<string, string | null>>,
  ): Promise<{ number: number; sha: string; branch: string }>;
  /** Comments, settles, and answers the reactions and the newest reply of ours. */
  say(
    number: number,
    login: string,
    body: string,
  ): Promise<{ reactions: readonly string[]; reply: string | undefined }>;
  check(sha: string, name: string): string;
}

export async function setStage(world: World, change: LightChange = {}): Promise<Stage> {
  const { github } = world;
  const owner = freshName('acme');
  const repository = `${owner}/web`;
  for (const login of ['dev', 'reviewer', 'reader']) github.createAccount({ login: `${login}-${owner}` });
  await github.createRepository({ owner, name: 'web', files: lightRepository(owner, change) });
  for (const login of ['dev', 'reviewer']) github.setPermission(repository, `${login}-${owner}`, 'write');
  github.setPermission(repository, `reader-${owner}`, 'read');
  github.install({ owner });
  await world.settled();
  let branches = 0;
  const commit: Stage['commit'] = (branch, files, message = 'Change something') =>
    github.commit(repository, { branch, author: `dev-${owner}`, message, files });
  return {
    owner,
    repository,
    commit,
    pullRequest: async (files = { 'README.md': 'hello\n' }) => {
      branches += 1;
      const branch = `feature-${branches}`;
      const sha = await commit(branch, files);
      const number = await github.openPullRequest(repository, {
        head: branch,
        author: `dev-${owner}`,
        title: 'A change',
      });
      await world.settled();
      return { number, sha, branch };
    },
    say: async (number, login, body) => {
      const before = github.comments(repository, number).length;
      const comment = await github.comment(repository, number, `${login}-${owner}`, body);
      await world.settled();
      return {
        reactions: github.reactions(comment).map((one) => one.content),
        reply: github.comments(repository, number)[before + 1]?.body,
      };
    },
    check: (sha, name) => world.check(repository, sha, name),
  };
}
