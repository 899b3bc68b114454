import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { Client } from './client.ts';
import type { ChangedFiles, GitHub, RepositoryRef } from './github.ts';
import { allPages, named, on, orNull } from './paging.ts';
import { account, sha, storable, text } from './shapes.ts';

/** GitHub lists no more (its published API description). */
const mostFilesOfPullRequest = 3000;
const mostFilesOfComparison = 300;
const mostFilesOfCommit = 3000;

const file = z.object({ filename: text, previous_filename: text.optional() });
const files = z.array(file);
const content = z.union([
  z.object({ type: z.literal('file'), encoding: z.string(), content: z.string() }),
  // A folder, a submodule, or a link that leads nowhere.
  z.unknown().transform(() => null),
]);
const branch = z.object({ name: text, commit: z.object({ sha, commit: z.object({ message: text }) }) });

type Files = Pick<GitHub, 'readFile' | 'changedFiles' | 'pushOf' | 'branchHead' | 'defaultBranch'>;

/** Moves of refs, newest first. */
const activity = z.array(z.object({ before: sha, after: sha, actor: account.nullish() }));
const nothing = /^0+$/;

const repositoryFacts = z.object({ default_branch: z.string() });

export function fileVerbs(client: Client): Files {
  return {
    readFile: (repository, path, commit) => readFile(client, repository, path, commit),
    changedFiles(repository, range) {
      switch (range.kind) {
        case 'pull-request':
          return filesOfPullRequest(client, repository, range.number);
        case 'commits':
          return filesBetween(client, repository, range.before, range.after);
        case 'commit':
          return filesOfCommit(client, repository, range.sha);
        default:
          return range satisfies never;
      }
    },
    async pushOf(repository, commit, branch) {
      const route = 'GET /repos/{owner}/{repo}/activity';
      const ref = branch === undefined ? {} : { ref: `refs/heads/${branch}` };
      const parameters = { ...named(repository), per_page: 100, ...ref };
      const moves = await orNull(client.ask(on(repository, 'contents'), route, parameters, activity), [403, 404, 422]);
      const to = (moves ?? []).filter(({ after, actor }) => after === commit && actor);
      // A branch that was made at a commit did not bring it. Of one branch the last that moved it there counts.
      const brought = ({ before }: { before: string }): boolean => !nothing.test(before);
      const move = branch === undefined ? (to.findLast(brought) ?? to.at(-1)) : (to.find(brought) ?? to[0]);
      return move?.actor ? { before: nothing.test(move.before) ? null : move.before, by: move.actor } : null;
    },
    async branchHead(repository, name) {
      const route = 'GET /repos/{owner}/{repo}/branches/{branch}';
      const parameters = { ...named(repository), branch: name };
      const found = await orNull(client.ask(on(repository, 'contents'), route, parameters, branch));
      // GitHub leads from the old name of a renamed branch to the new one; they are two branches to us.
      return found?.name === name ? { sha: found.commit.sha, message: found.commit.commit.message } : null;
    },
    async defaultBranch(repository) {
      const route = 'GET /repos/{owner}/{repo}';
      const found = await orNull(client.ask(on(repository, 'contents'), route, named(repository), repositoryFacts));
      return found?.default_branch ?? null;
    },
  };
}

async function readFile(
  client: Client,
  repository: RepositoryRef,
  path: string,
  commit: string,
): Promise<string | null> {
  const route = 'GET /repos/{owner}/{repo}/contents/{path}';
  const parameters = { ...named(repository), path, ref: sha.parse(commit) };
  const found = await orNull(client.ask(on(repository, 'contents'), route, parameters, content));
  if (!found) return null;
  if (found.encoding !== 'base64') throw new UserError(`${path} is larger than 1 MB. Make it smaller.`);
  return Buffer.from(found.content, 'base64').toString('utf8');
}

async function filesOfPullRequest(client: Client, repository: RepositoryRef, number: number): Promise<ChangedFiles> {
  const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/files';
  const parameters = { ...named(repository), pull_number: number };
  const pages = await allPages(client, on(repository, 'pulls'), route, parameters, files, (page) => page);
  return changed(pages.flat(), mostFilesOfPullRequest);
}

const comparison = z.object({ files: files.optional() });

async function filesBetween(
  client: Client,
  repository: RepositoryRef,
  before: string,
  after: string,
): Promise<ChangedFiles> {
  const route = 'GET /repos/{owner}/{repo}/compare/{basehead}';
  const basehead = `${sha.parse(before)}...${sha.parse(after)}`;
  const parameters = { ...named(repository), basehead, per_page: 1 };
  const found = await orNull(client.ask(on(repository, 'contents'), route, parameters, comparison), [404, 422]);
  // After a force push the old commit may be gone: then nobody knows what changed.
  return found ? changed(found.files ?? [], mostFilesOfComparison) : { paths: [], truncated: true };
}

async function filesOfCommit(client: Client, repository: RepositoryRef, commit: string): Promise<ChangedFiles> {
  const route = 'GET /repos/{owner}/{repo}/commits/{ref}';
  const parameters = { ...named(repository), ref: sha.parse(commit) };
  const perPage = 300;
  const paths: z.output<typeof files> = [];
  for (let page = 1; paths.length < mostFilesOfCommit; page += 1) {
    const asked = { ...parameters, per_page: perPage, page };
    const found = await orNull(client.ask(on(repository, 'contents'), route, asked, comparison), [404, 422]);
    if (!found) return { paths: [], truncated: true };
    paths.push(...(found.files ?? []));
    if ((found.files ?? []).length < perPage) break;
  }
  return changed(paths, mostFilesOfCommit);
}

/** A renamed file counts under both its names. */
function changed(list: z.output<typeof files>, most: number): ChangedFiles {
  const paths = list.flatMap((one) =>
    one.previous_filename === undefined ? [one.filename] : [one.filename, one.previous_filename],
  );
  return { paths: [...new Set(paths.map(storable))], truncated: list.length >= most };
}
