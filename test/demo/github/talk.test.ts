// Sources: "openapi" is GitHub's published description.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beginStory, web, type Story } from './story.ts';

const repo = `/repos/${web}`;
let story: Story;

beforeAll(async () => {
  story = await beginStory();
  await story.github.commit(web, { branch: 'topic', author: 'ada', message: 'One', files: { a: '1\n' } });
  await story.github.openPullRequest(web, { head: 'topic', author: 'ada', title: 'Topic' });
  await story.events();
});
afterAll(() => story.end());

async function lastPayload() {
  await story.github.settled();
  return story.github.deliveries().at(-1)?.payload ?? {};
}

describe('a comment', () => {
  // openapi, webhook issue-comment: the conversation of a pull request, and no head SHA anywhere in it
  test('of a pull request comes as an issue comment, marked as one, without the head', async () => {
    const id = await story.github.comment(web, 1, 'grace', '/approve');
    const payload = await lastPayload();
    expect(payload).toMatchObject({
      action: 'created',
      comment: { id, body: '/approve', user: { login: 'grace' }, performed_via_github_app: null },
      issue: { number: 1, pull_request: { url: `${story.github.url}${repo}/pulls/1` } },
    });
    expect(JSON.stringify(payload)).not.toContain(story.github.pullRequest(web, 1).headSha);
    expect(await story.events()).toEqual(['issue_comment.created']);
  });

  // openapi, webhook issue-comment-edited: the body before stands in changes
  test('tells its earlier words when it is edited, and is told of when it is deleted', async () => {
    const id = await story.github.comment(web, 1, 'grace', 'first');
    await story.github.editComment(id, 'ada', 'second');
    expect(await lastPayload()).toMatchObject({
      action: 'edited',
      changes: { body: { from: 'first' } },
      comment: { body: 'second', user: { login: 'grace' } },
      sender: { login: 'ada' },
    });
    await story.github.deleteComment(id, 'grace');
    expect(await lastPayload()).toMatchObject({ action: 'deleted', comment: { id } });
  });

  test('of the App is written by its bot, and comes back to it as an event', async () => {
    const { body } = await story.call('POST', `${repo}/issues/1/comments`, { body: 'Waiting' });
    expect(body.user).toMatchObject({ login: 'penstock[bot]', type: 'Bot' });
    expect(await lastPayload()).toMatchObject({ comment: { id: body.id }, sender: { type: 'Bot' } });
    await story.call('PATCH', `${repo}/issues/comments/${body.id}`, { body: 'Done' });
    expect(story.github.comments(web, 1).at(-1)).toMatchObject({ author: 'penstock[bot]', body: 'Done' });
  });

  // A constant that Atlantis and branch-deploy rely on
  test.each([
    ['of 65,537 characters', { body: 'x'.repeat(65_537) }],
    ['without words', { body: '  ' }],
    ['without a body', {}],
  ])('%s is refused', async (_, body) => {
    expect((await story.call('POST', `${repo}/issues/1/comments`, body)).status).toBe(422);
  });

  test('of another repository is not found', async () => {
    await story.github.createRepository({ owner: 'acme', name: 'shop', files: { a: '1\n' } });
    const id = await story.github.comment(web, 1, 'grace', 'here');
    expect((await story.call('GET', `/repos/acme/shop/issues/comments/${id}`)).status).toBe(404);
  });
});

describe('a reaction', () => {
  // openapi, reactions/create-for-issue-comment: 201, and 200 when it was there already
  test('is new once, and the same after that', async () => {
    const id = await story.github.comment(web, 1, 'grace', '/approve');
    const path = `${repo}/issues/comments/${id}/reactions`;
    const first = await story.call('POST', path, { content: 'eyes' });
    const again = await story.call('POST', path, { content: 'eyes' });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body.id).toBe(first.body.id);
    expect(story.github.reactions(id)).toEqual([{ login: 'penstock[bot]', content: 'eyes' }]);
    expect((await story.call('GET', `${repo}/issues/comments/${id}`)).body.reactions.eyes).toBe(1);
  });

  test('is one of eight', async () => {
    const id = await story.github.comment(web, 1, 'grace', '/approve');
    const path = `${repo}/issues/comments/${id}/reactions`;
    expect((await story.call('POST', path, { content: 'tada' })).status).toBe(422);
  });

  // openapi, reactions/create-for-pull-request-review-comment
  test('can be given to a comment on the diff, and not to a review', async () => {
    const line = await story.github.reviewComment(web, 1, 'grace', { path: 'a', line: 1, body: 'Why?' });
    expect((await story.call('POST', `${repo}/pulls/comments/${line}/reactions`, { content: '+1' })).status).toBe(201);
    const review = await story.github.review(web, 1, 'grace', { state: 'approved' });
    expect((await story.call('POST', `${repo}/pulls/comments/${review}/reactions`, { content: '+1' })).status).toBe(
      404,
    );
  });
});

describe('a review', () => {
  // openapi, webhooks pull-request-review and pull-request-review-comment
  test('names the commit that was looked at', async () => {
    const { headSha } = story.github.pullRequest(web, 1);
    await story.events();
    const id = await story.github.review(web, 1, 'grace', { state: 'approved', body: '/approve' });
    expect(await lastPayload()).toMatchObject({
      action: 'submitted',
      review: { id, state: 'approved', body: '/approve', commit_id: headSha, user: { login: 'grace' } },
      pull_request: { number: 1 },
    });
    await story.github.dismissReview(id, 'ada');
    expect(await lastPayload()).toMatchObject({ action: 'dismissed', review: { id, state: 'dismissed' } });
    expect(await story.events()).toEqual(['pull_request_review.submitted', 'pull_request_review.dismissed']);
  });

  test('is told of before the comment on a line that it wraps', async () => {
    await story.events();
    await story.github.reviewComment(web, 1, 'grace', { path: 'a', line: 1, body: 'Why?' });
    const events = ['pull_request_review.submitted', 'pull_request_review_comment.created'];
    expect(await story.events()).toEqual(events);
  });
});
