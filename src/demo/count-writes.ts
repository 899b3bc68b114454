import type { Exchange } from './github/http.ts';
import type { StandIn } from './github/stand-in.ts';
import { checkRunOf } from './live-checks.ts';

/** Writes to GitHub while one execution ran, told apart by what they belong to. */
export interface WriteCount {
  /** Check runs of the execution's commit. */
  readonly checks: number;
  /** Reactions to the comment that was accepted. */
  readonly reactions: number;
  /** Reactions and the reply to the comment that was refused. */
  readonly refusal: number;
  /** Check runs of other commits: the older execution that ended. */
  readonly older: number;
  /** Whatever is none of these. */
  readonly other: number;
}

export interface WriteCounter {
  stop(): void;
  count(of: { readonly sha: string; readonly refused: number; readonly accepted: number }): WriteCount;
}

export function countWrites(github: Pick<StandIn, 'onExchange'>): WriteCounter {
  const writes: Exchange[] = [];
  const stop = github.onExchange((exchange) => {
    const { method, path, tookEffect } = exchange;
    if (method !== 'GET' && tookEffect && !path.endsWith('/access_tokens')) writes.push(exchange);
  });
  return {
    stop,
    count({ sha, refused, accepted }) {
      const checks = writes.flatMap((write) => checkRunOf(write) ?? []);
      const mine = checks.filter((run) => run.headSha === sha).length;
      const reactions = writes.filter(({ path }) => path.endsWith(`/comments/${accepted}/reactions`)).length;
      const refusal = writes.filter((write) => isAbout(write, refused)).length;
      const older = checks.length - mine;
      const other = writes.length - mine - reactions - refusal - older;
      return { checks: mine, reactions, refusal, older, other };
    },
  };
}

/** A reaction to that comment, or the reply that carries its number. */
function isAbout({ path, request }: Exchange, comment: number): boolean {
  if (path.endsWith(`/comments/${comment}/reactions`)) return true;
  const body = typeof request === 'object' && request !== null && 'body' in request ? String(request.body) : '';
  return /\/issues\/\d+\/comments$/.test(path) && body.includes(`issue-comment/${comment}`);
}
