import { expect, test } from 'vitest';
import { budgetStates } from '../../src/db/aws-budgets.ts';
import { createBudget } from '../../src/engine/aws/budget.ts';
import { TransientError } from '../../src/errors.ts';
import { testDatabase } from '../database.ts';

const { db } = await testDatabase();
/** Refills next to nothing while a test runs. */
const size = { perSecond: 0.01, burst: 10 };

async function refused(asked: Promise<void>): Promise<TransientError> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TransientError)) throw new Error('it was let through');
  return error;
}

test('replicas share what an account takes: what one spent the other does not have', async () => {
  const [one, other] = [createBudget(db, size, () => 0), createBudget(db, size, () => 0)];
  await one.admit('shared', 'look');
  one.spent('shared', 6);
  await other.admit('shared', 'look');
  // It is taken from the bucket when the one that spent it asks again.
  await one.admit('shared', 'look');
  other.spent('shared', 3);
  const { retryAfterMs = 0, message } = await refused(other.admit('shared', 'look'));
  expect(message).toBe('For the moment nothing is left of the calls to account shared');
  expect(retryAfterMs).toBeGreaterThan(100_000);
});

test('what is left goes to starts before looks, and one account does not wait for another', async () => {
  const budget = createBudget(db, size);
  await budget.admit('starts', 'look');
  budget.spent('starts', 8);
  await refused(budget.admit('starts', 'look'));
  await budget.admit('starts', 'start');
  await budget.admit('another', 'look');
});

test('throttling pauses looks and starts over all replicas, ever longer, and calls under way count once (SEC-F-23)', async () => {
  const pauseOf = async () => (await budgetStates(db, size)).find((one) => one.account === 'stormy')?.pausedMs ?? 0;
  const budget = createBudget(db, size);
  const other = createBudget(db, size);
  await budget.throttled('stormy');
  const first = await pauseOf();
  expect(first).toBeGreaterThan(3_000);
  expect(first).toBeLessThan(6_500);
  await Promise.all([budget.throttled('stormy'), other.throttled('stormy')]);
  expect(await pauseOf()).toBeLessThanOrEqual(first);
  expect((await refused(other.admit('stormy', 'start'))).message).toBe('AWS throttled calls to account stormy');
  for (const longer of [7_000, 14_000]) {
    await db.updateTable('aws_budgets').set({ paused_until: new Date() }).where('account', '=', 'stormy').execute();
    await budget.throttled('stormy');
    expect(await pauseOf()).toBeGreaterThan(longer);
  }
});

test('tokens come back with time, and an account that was left alone for a while starts from the shortest pause', async () => {
  const budget = createBudget(db, { perSecond: 5, burst: 10 });
  await budget.admit('calm', 'look');
  budget.spent('calm', 30);
  await refused(budget.admit('calm', 'look'));
  const earlier = new Date(Date.now() - 10 * 60_000);
  const past = { filled_at: earlier, paused_until: earlier, strikes: 6 };
  await db.updateTable('aws_budgets').set(past).where('account', '=', 'calm').execute();
  await budget.admit('calm', 'look');
  await budget.throttled('calm');
  const { pausedMs = 0, tokens } = (await budgetStates(db, size)).find((one) => one.account === 'calm') ?? {};
  expect(tokens).toBe(10);
  expect(pausedMs).toBeLessThan(6_500);
});
