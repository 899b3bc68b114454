/** The conversation of a pull request, and reactions. */
import { invalid, notFound } from '../api-error.ts';
import { appBot } from '../people.ts';
import { commentPayload, issuePayload, reactionPayload, reactionsOf } from '../payloads/talk.ts';
import {
  created,
  listAnswer,
  numberParameter,
  ok,
  repositoryRoute,
  textField,
  type Answer,
  type RepositoryCall,
  type Route,
} from '../route.ts';
import type { Comment, ReactionContent } from '../state.ts';
import { addReaction, changeComment, dropComment, writeComment } from '../talk.ts';
import { pullOf } from './pulls.ts';

const read = ['issues:read', 'pull_requests:read'];
const write = ['issues:write', 'pull_requests:write'];
const issue = '/issues/{issue_number}';
const comment = '/issues/comments/{comment_id}';

export const commentRoutes: readonly Route[] = [
  // Before the issue of that name.
  repositoryRoute('GET /issues/comments', read, (call) => {
    const since = new Date(call.query.get('since') ?? 0);
    const all = [...call.site.state.comments.values()]
      .filter((one) => one.repository === call.repository && one.updatedAt >= since)
      .toSorted((a, b) => a.updatedAt.getTime() - b.updatedAt.getTime());
    return listAnswer(call, all, (one) => commentPayload(call.site, one));
  }),
  repositoryRoute(`GET ${issue}`, read, (call) => ok(issuePayload(call.site, pullOf(call, 'issue_number')))),
  repositoryRoute(`GET ${issue}/comments`, read, (call) => {
    const { number } = pullOf(call, 'issue_number');
    const since = new Date(call.query.get('since') ?? 0);
    const all = [...call.site.state.comments.values()].filter(
      (one) => one.repository === call.repository && one.number === number && one.updatedAt >= since,
    );
    return listAnswer(call, all, (one) => commentPayload(call.site, one));
  }),
  repositoryRoute(`POST ${issue}/comments`, write, async (call) => {
    const pull = pullOf(call, 'issue_number');
    const made = await writeComment(call.site, pull, appBot(call.site), bodyOf(call), true);
    return created(commentPayload(call.site, made));
  }),
  repositoryRoute(`POST ${issue}/reactions`, write, (call) => react(call, pullOf(call, 'issue_number').id)),
  repositoryRoute(`GET ${comment}`, read, (call) => ok(commentPayload(call.site, commentOf(call)))),
  repositoryRoute(`PATCH ${comment}`, write, async (call) => {
    const own = commentOf(call);
    await changeComment(call.site, own, appBot(call.site), bodyOf(call));
    return ok(commentPayload(call.site, own));
  }),
  repositoryRoute(`DELETE ${comment}`, write, async (call) => {
    await dropComment(call.site, commentOf(call), appBot(call.site));
    return { status: 204 };
  }),
  repositoryRoute(`GET ${comment}/reactions`, read, (call) => {
    const content = call.query.get('content');
    const all = reactionsOf(call.site, commentOf(call).id).filter((one) => content === null || one.content === content);
    return listAnswer(call, all, (one) => reactionPayload(call.site, one));
  }),
  repositoryRoute(`POST ${comment}/reactions`, write, (call) => react(call, commentOf(call).id)),
  repositoryRoute('POST /pulls/comments/{comment_id}/reactions', ['pull_requests:write'], (call) => {
    const found = call.site.state.reviewComments.get(numberParameter(call, 'comment_id'));
    if (found === undefined || found.review.pullRequest.repository !== call.repository) throw notFound();
    return react(call, found.id);
  }),
];

/** Not in the published description; a constant that several apps rely on. */
const longestBody = 65_536;

function bodyOf(call: RepositoryCall): string {
  const body = textField(call, 'body');
  if (body === undefined || body.trim() === '')
    throw invalid('Validation Failed', [{ field: 'body', code: 'missing_field' }]);
  if (body.length > longestBody) {
    const message = `body is too long (maximum is ${longestBody} characters)`;
    throw invalid('Validation Failed', [{ resource: 'IssueComment', code: 'unprocessable', field: 'data', message }]);
  }
  return body;
}

function commentOf(call: RepositoryCall): Comment {
  const found = call.site.state.comments.get(numberParameter(call, 'comment_id'));
  if (found === undefined || found.repository !== call.repository) throw notFound();
  return found;
}

const contents = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes'];

function react(call: RepositoryCall, subject: number): Answer {
  const content = textField(call, 'content') ?? '';
  if (!contents.includes(content))
    throw invalid('Validation Failed', [{ resource: 'Reaction', field: 'content', code: 'invalid' }]);
  const { reaction, isNew } = addReaction(call.site, subject, appBot(call.site), content as ReactionContent);
  const payload = reactionPayload(call.site, reaction);
  return isNew ? created(payload) : ok(payload);
}
