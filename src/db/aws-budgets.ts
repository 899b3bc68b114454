import { sql, type Kysely } from 'kysely';
import type { Database } from './database.ts';

/** Tokens that an account gets back each second, and the most that it holds. */
export interface BudgetSize {
  readonly perSecond: number;
  readonly burst: number;
}

export interface BudgetState {
  readonly account: string;
  readonly tokens: number;
  /** Milliseconds that looks still wait because AWS throttled; 0: they do not. */
  readonly pausedMs: number;
}

/** An account whose last throttling is this long over starts from the shortest pause again. */
const forgivenSeconds = 120;
const firstPauseSeconds = 5;
const longestPauseSeconds = 300;

/** Takes what this process has spent from the account's tokens, and answers how it stands; by the database's clock. */
export async function settleBudget(
  db: Kysely<Database>,
  account: string,
  { spent, size }: { readonly spent: number; readonly size: BudgetSize },
): Promise<BudgetState> {
  const filled = sql`least(${size.burst}::float8,
    b.tokens + extract(epoch from now() - b.filled_at)::float8 * ${size.perSecond}::float8)`;
  const { rows } = await sql<BudgetState>`
    insert into aws_budgets as b (account, tokens) values (${account}, ${size.burst - spent})
    on conflict (account) do update set tokens = ${filled} - ${spent}::float8, filled_at = now()
    returning account, tokens, ${pausedMs} as "pausedMs"`.execute(db);
  return rows[0] ?? { account, tokens: size.burst, pausedMs: 0 };
}

const pausedMs = sql`greatest(0, extract(epoch from b.paused_until - now()) * 1000)::float8`;

/**
 * AWS throttled a call: looks into the account pause over all replicas, for 5 s, 10 s ... up to 5 minutes with jitter.
 * Calls that were under way when the pause began do not make it longer.
 */
export async function pauseBudget(db: Kysely<Database>, account: string, size: BudgetSize): Promise<void> {
  const strikes = sql`(case when b.paused_until < now() - make_interval(secs => ${forgivenSeconds}) then 0 else b.strikes end)`;
  const pause = (count: typeof strikes) => sql`make_interval(secs =>
    least(${longestPauseSeconds}::float8, ${firstPauseSeconds}::float8 * power(2, ${count})) * (0.75 + random() / 2))`;
  await sql`
    insert into aws_budgets as b (account, tokens, strikes, paused_until)
    values (${account}, ${size.burst}, 1, now() + ${pause(sql`0`)})
    on conflict (account) do update set strikes = ${strikes} + 1, paused_until = now() + ${pause(strikes)}
    where b.paused_until <= now()`.execute(db);
}

/** For metrics: every account that was ever called. */
export async function budgetStates(db: Kysely<Database>, size: BudgetSize): Promise<readonly BudgetState[]> {
  const { rows } = await sql<BudgetState>`
    select account, ${pausedMs} as "pausedMs", least(${size.burst}::float8,
      tokens + extract(epoch from now() - filled_at)::float8 * ${size.perSecond}::float8) as tokens
    from aws_budgets b order by account`.execute(db);
  return rows;
}
