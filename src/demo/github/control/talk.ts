import type { Site } from '../site.ts';
import type { Comment, ReactionContent, Review, ReviewComment } from '../state.ts';
import { addReaction, changeComment, dropComment, tellReview, tellReviewComment, writeComment } from '../talk.ts';
import { reactionsOf } from '../payloads/talk.ts';
import { accountNamed, pullNumbered } from './people.ts';

export interface CommentView {
  readonly id: number;
  readonly author: string;
  readonly body: string;
  readonly createdAt: string;
}

export interface ReactionView {
  readonly login: string;
  readonly content: ReactionContent;
}

export interface TalkControl {
  /** Resolves to the comment's id. */
  comment(repository: string, number: number, login: string, body: string): Promise<number>;
  editComment(comment: number, login: string, body: string): Promise<void>;
  deleteComment(comment: number, login: string): Promise<void>;
  /** On the head commit, unless `sha` names an earlier one. Resolves to the review's id. */
  review(
    repository: string,
    number: number,
    login: string,
    review: {
      readonly state: 'approved' | 'changes_requested' | 'commented';
      readonly body?: string;
      readonly sha?: string;
    },
  ): Promise<number>;
  editReview(review: number, login: string, body: string): Promise<void>;
  dismissReview(review: number, login: string): Promise<void>;
  /** GitHub has been seen to say later that a review is of a newer commit. No event tells. */
  moveReview(review: number, sha: string): void;
  /** A comment on a line of the diff, which GitHub wraps in a review. Resolves to the comment's id. */
  reviewComment(
    repository: string,
    number: number,
    login: string,
    comment: { readonly path: string; readonly line: number; readonly body: string },
  ): Promise<number>;
  react(comment: number, login: string, content: ReactionContent): void;
  /** Oldest first. */
  comments(repository: string, number: number): readonly CommentView[];
  /** Of a comment of any kind; of a pull request itself by its own id. */
  reactions(comment: number): readonly ReactionView[];
}

export function talkControl(site: Site): TalkControl {
  return {
    async comment(repository, number, login, body) {
      const pull = pullNumbered(site, repository, number);
      return (await writeComment(site, pull, accountNamed(site, login), body, false)).id;
    },
    editComment: (id, login, body) => changeComment(site, commentOf(site, id), accountNamed(site, login), body),
    deleteComment: (id, login) => dropComment(site, commentOf(site, id), accountNamed(site, login)),
    async review(repository, number, login, { state, body, sha }) {
      const review = addReview(site, repository, number, login, state, body ?? null, sha);
      await tellReview(site, review, 'submitted', review.author);
      return review.id;
    },
    async editReview(id, login, body) {
      const review = reviewOf(site, id);
      const changes = { body: { from: review.body ?? '' } };
      review.body = body;
      await tellReview(site, review, 'edited', accountNamed(site, login), { changes });
    },
    async dismissReview(id, login) {
      const review = reviewOf(site, id);
      review.state = 'dismissed';
      await tellReview(site, review, 'dismissed', accountNamed(site, login));
    },
    moveReview: (id, sha) => void (reviewOf(site, id).sha = sha),
    reviewComment: (repository, number, login, comment) => commentOnLine(site, repository, number, login, comment),
    react: (id, login, content) => void addReaction(site, id, accountNamed(site, login), content),
    comments(repository, number) {
      const { repository: found } = pullNumbered(site, repository, number);
      const all = [...site.state.comments.values()].filter((one) => one.repository === found && one.number === number);
      return all.map(view);
    },
    reactions: (id) => reactionsOf(site, id).map(({ author, content }) => ({ login: author.login, content })),
  };
}

function view({ id, author, body, createdAt }: Comment): CommentView {
  return { id, author: author.login, body, createdAt: createdAt.toISOString() };
}

function commentOf(site: Site, id: number): Comment {
  const found = site.state.comments.get(id);
  if (found === undefined) throw new Error(`no comment ${id}`);
  return found;
}

function reviewOf(site: Site, id: number): Review {
  const found = site.state.reviews.get(id);
  if (found === undefined) throw new Error(`no review ${id}`);
  return found;
}

function addReview(
  site: Site,
  repository: string,
  number: number,
  login: string,
  state: Review['state'],
  body: string | null,
  sha?: string,
): Review {
  const pullRequest = pullNumbered(site, repository, number);
  const author = accountNamed(site, login);
  const at = sha ?? pullRequest.head.sha;
  const review = { id: site.state.nextId(), pullRequest, author, state, body, sha: at, submittedAt: site.now() };
  site.state.reviews.set(review.id, review);
  return review;
}

/** GitHub tells of the review first, then of the comment. */
async function commentOnLine(
  site: Site,
  repository: string,
  number: number,
  login: string,
  { path, line, body }: { readonly path: string; readonly line: number; readonly body: string },
): Promise<number> {
  const review = addReview(site, repository, number, login, 'commented', null);
  const { author, submittedAt: createdAt } = review;
  const comment: ReviewComment = { id: site.state.nextId(), review, author, body, path, line, createdAt };
  site.state.reviewComments.set(comment.id, comment);
  await tellReview(site, review, 'submitted', author);
  await tellReviewComment(site, comment);
  return comment.id;
}
