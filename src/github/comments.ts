import { z } from 'zod';
import { Unclear } from './api-errors.ts';
import type { Client } from './client.ts';
import type { CommentRef, GitHub, HumanText, Reaction, RepositoryRef } from './github.ts';
import { commentShape, commentText, reviewShape, reviewText } from './human-text.ts';
import { allPages, named, on, orNull } from './paging.ts';

type Comments = Pick<GitHub, 'comment' | 'react' | 'humanTextSince' | 'commentsSince' | 'reviewsOf'>;

/** Not in GitHub's description, but the number that its answer names. */
const longestBody = 65_536;
const anything = z.unknown();
const comments = z.array(commentShape);
const placedComment = commentShape.extend({ html_url: z.string() });
/** Comments on plain issues come along in the list of a repository; only their address tells them apart. */
const pullRequestPage = /\/pull\/(\d+)#/;

export function commentVerbs(client: Client): Comments {
  return {
    comment: (repository, number, body, marker) => comment(client, repository, number, body, marker),
    react: (repository, subject, reaction) => react(client, repository, subject, reaction),
    humanTextSince: (repository, number, since) => humanTextSince(client, repository, number, since),
    reviewsOf: async (repository, number) => byPeopleSince(await reviewsOf(client, repository, number), new Date(0)),
    commentsSince: (repository, since) => commentsSince(client, repository, since),
  };
}

async function comment(
  client: Client,
  repository: RepositoryRef,
  number: number,
  body: string,
  marker: string,
): Promise<void> {
  const hidden = `<!-- penstock:${marker.replaceAll(/[^A-Za-z0-9._/-]/g, '_')} -->`;
  const whole = `${cut(body, longestBody - hidden.length - 2)}\n\n${hidden}`;
  const earlier = await findComment(client, repository, number, hidden);
  if (earlier) {
    if (earlier.body !== whole) await edit(client, repository, earlier.id, whole);
    return;
  }
  const route = 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments';
  const parameters = { ...named(repository), issue_number: number, body: whole };
  try {
    await client.ask(on(repository, 'talk'), route, parameters, anything);
  } catch (error) {
    // An unclear answer is cleared up by looking; the queue tries again when there is nothing yet (SEC-F-12).
    const made = error instanceof Unclear && (await findComment(client, repository, number, hidden).catch(() => null));
    if (!made) throw error;
  }
}

/** Ours only: anybody may copy the marker into a comment. */
async function findComment(client: Client, repository: RepositoryRef, number: number, hidden: string) {
  const all = await commentsOf(client, repository, number, {});
  return all.find((one) => one.user.bot && isOurs(client, one.performed_via_github_app) && one.body.includes(hidden));
}

function isOurs(client: Client, app: unknown): boolean {
  return z.object({ id: z.literal(client.appId) }).safeParse(app).success;
}

async function edit(client: Client, repository: RepositoryRef, comment_id: number, body: string): Promise<void> {
  const route = 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}';
  await client.ask(on(repository, 'talk'), route, { ...named(repository), comment_id, body }, anything);
}

/** The same reaction twice is one for GitHub. A comment that is gone needs none; a review cannot have one. */
async function react(client: Client, repository: RepositoryRef, subject: CommentRef, content: Reaction): Promise<void> {
  if (subject.kind === 'review') return;
  const kind = subject.kind === 'issue-comment' ? 'issues' : 'pulls';
  const route = `POST /repos/{owner}/{repo}/${kind}/comments/{comment_id}/reactions`;
  const parameters = { ...named(repository), comment_id: subject.id, content };
  await orNull(client.ask(on(repository, 'talk'), route, parameters, anything));
}

async function humanTextSince(
  client: Client,
  repository: RepositoryRef,
  number: number,
  since: Date,
): Promise<readonly HumanText[]> {
  // GitHub's `since` looks at changes, so older comments that were edited come along.
  const written = await commentsOf(client, repository, number, { since: since.toISOString() });
  const texts = written.map((one) => commentText(repository, number, 'issue-comment', one));
  return byPeopleSince([...texts, ...(await reviewsOf(client, repository, number))], since);
}

async function reviewsOf(client: Client, repository: RepositoryRef, number: number): Promise<readonly HumanText[]> {
  const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews';
  const parameters = { ...named(repository), pull_number: number };
  const pages = await orNull(
    allPages(client, on(repository, 'pulls'), route, parameters, z.array(reviewShape), (page) => page),
  );
  return (pages ?? []).flat().flatMap((one) => reviewText(repository, number, one) ?? []);
}

async function commentsSince(client: Client, repository: RepositoryRef, since: Date): Promise<readonly HumanText[]> {
  const route = 'GET /repos/{owner}/{repo}/issues/comments';
  const parameters = { ...named(repository), since: since.toISOString(), sort: 'updated', direction: 'asc' };
  const pages = await orNull(
    allPages(client, on(repository, 'pulls'), route, parameters, z.array(placedComment), (page) => page),
  );
  const texts = (pages ?? []).flat().flatMap((one) => {
    const number = pullRequestPage.exec(one.html_url)?.[1];
    return number === undefined ? [] : [commentText(repository, Number(number), 'issue-comment', one)];
  });
  return byPeopleSince(texts, since);
}

function byPeopleSince(texts: readonly HumanText[], since: Date): readonly HumanText[] {
  return texts
    .filter((one) => !one.author.bot && Date.parse(one.createdAt) >= since.getTime())
    .toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt) || a.source.id - b.source.id);
}

async function commentsOf(
  client: Client,
  repository: RepositoryRef,
  number: number,
  more: { readonly since?: string },
): Promise<z.output<typeof comments>> {
  const route = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments';
  const parameters = { ...named(repository), issue_number: number, ...more };
  const pages = await orNull(allPages(client, on(repository, 'pulls'), route, parameters, comments, (page) => page));
  return (pages ?? []).flat();
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
