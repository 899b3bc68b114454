import { describe, expect, it } from 'vitest';
import type { Asker } from '../../src/commands/authorize.ts';
import { allowedVerbs, authorize } from '../../src/commands/authorize.ts';
import { verbs } from '../../src/commands/verbs.ts';

function asker(more: Partial<Asker> = {}): Asker {
  return { id: 1, login: 'bob', bot: false, permission: 'read', isAuthor: false, fork: false, ...more };
}

describe('who may ask for what', () => {
  const reading = ['status', 'why', 'plan', 'help'];

  it.each([
    ['a person without access', asker({ permission: 'none' }), []],
    ['a person GitHub could not be asked about (SEC-B-06)', asker({ permission: 'unknown' }), []],
    ['a reader (SEC-B-04, B-05)', asker(), reading],
    [
      'a reader who wrote a pull request of the same repository',
      asker({ isAuthor: true }),
      ['retry', 'stop', ...reading],
    ],
    ['a reader who wrote a pull request from a fork', asker({ isAuthor: true, fork: true }), reading],
    ['a writer', asker({ permission: 'write' }), verbs],
    ['an admin', asker({ permission: 'admin' }), verbs],
    ['a bot with every right (SEC-B-08)', asker({ permission: 'admin', bot: true }), []],
  ])('%s', (_name, who, expected) => {
    expect(allowedVerbs(who)).toEqual(expected);
  });

  it('a refusal says what is missing and who could', () => {
    expect(authorize({ verb: 'retry' }, asker())).toEqual({
      allowed: false,
      why: '`retry` needs write access to the repository; you have read access.',
      whoCould: 'Anybody with write access could do it.',
    });
    expect(authorize({ verb: 'approve' }, asker())).toMatchObject({
      whoCould: 'Who may answer a gate is told by `/penstock why`.',
    });
  });
});
