import { expect, test } from 'vitest';
import { Deviation, newScore, until, type Awaited } from '../../src/demo/checks.ts';

const evidence = [{ heading: 'The log:', lines: ['it broke'] }];
const never = new AbortController().signal;

function waiting(look: Awaited<string>['look']): Awaited<string> {
  return { expected: 'an answer', withinMs: 0, look, seen: () => 'silence', evidence: () => evidence };
}

test('what holds is counted; what does not is a deviation with its evidence', () => {
  const score = newScore();
  score.expect({ expected: 'one', holds: true, seen: 'one' });
  expect(() => score.expect({ expected: 'two', holds: false, seen: 'three', evidence: () => evidence })).toThrow(
    expect.objectContaining({ expected: 'two', seen: 'three', evidence }),
  );
  expect(score.held).toBe(1);
});

test('what came is answered, however little time there was', async () => {
  await expect(
    until(
      waiting(() => 'here'),
      never,
    ),
  ).resolves.toBe('here');
});

test('what never comes is a deviation that says what was seen instead', async () => {
  const outcome = until(
    waiting(() => undefined),
    never,
  );
  await expect(outcome).rejects.toThrow(Deviation);
  await expect(outcome).rejects.toMatchObject({ expected: 'an answer within 0 s', seen: 'silence', evidence });
});

test('waiting ends when the demo is interrupted', async () => {
  const interrupted = new AbortController();
  let looks = 0;
  const look = () => {
    looks += 1;
    if (looks === 3) interrupted.abort(new Error('SIGINT'));
    return undefined;
  };
  await expect(until({ ...waiting(look), withinMs: 60_000 }, interrupted.signal)).rejects.toThrow('SIGINT');
  expect(looks).toBe(3);
});
