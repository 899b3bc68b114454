import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeActionRecord } from '../../src/providers/action-record.ts';
import type { ActionProvider } from '../../src/providers/provider.ts';
import { untilEnded, type TestAction } from './action.ts';

export interface ContractSubject<C> {
  readonly home: string;
  /** A new one each time, as after a restart of the process. */
  provider(): ActionProvider<C>;
  /** An action that succeeds; a new one each time. */
  succeeding(): Promise<TestAction<C>>;
  /** An action that fails because of what was asked for; absent where nothing can go wrong. */
  failing?(): Promise<TestAction<C>>;
  /** How often the work of an action was really done. */
  timesDone(action: TestAction<C>): number;
  /** Its work may be done twice. */
  readonly repeats?: boolean;
  /** What the provider reports at the end of a successful action. */
  readonly ends: 'succeeded' | 'waiting';
}

/** What src/providers/provider.ts promises of every provider. */
export function describeProviderContract<C>(name: string, subject: ContractSubject<C>): void {
  describe(`${name} keeps the contract of providers`, () => {
    it('ends as expected, and says when there is news', async () => {
      const provider = subject.provider();
      const action = await subject.succeeding();
      const first = await provider.start(action);
      expect((await untilEnded(provider, action, first)).kind).toBe(subject.ends);
      if (first.kind === 'running') expect(action.changes()).toBe(1);
    });

    it('starts the work of one token once, however often it is asked', async () => {
      const provider = subject.provider();
      const action = await subject.succeeding();
      const reports = await Promise.all([provider.start(action), provider.start(action)]);
      await untilEnded(provider, action, reports[0]);
      const again = await provider.start(action);
      expect((await untilEnded(provider, action, again)).kind).toBe(subject.ends);
      expect(subject.timesDone(action)).toBe(1);
    });

    it('stop is quiet when nothing was started and when it has ended', async () => {
      const provider = subject.provider();
      const action = await subject.succeeding();
      await provider.stop?.(action);
      await untilEnded(provider, action, await provider.start(action));
      await provider.stop?.(action);
    });

    it('leaves nothing in its work directories', async () => {
      const provider = subject.provider();
      const action = await subject.succeeding();
      await untilEnded(provider, action, await provider.start(action));
      for (const directory of ['work', 'tmp']) expect(namesIn(join(subject.home, directory))).toEqual([]);
    });

    it('refuses configuration that it does not know', () => {
      const result = subject.provider().configuration.safeParse({ Nonsense: 'yes' });
      expect(result.success).toBe(false);
    });

    if (subject.failing !== undefined) {
      it('reports what cannot work as a failed action, with what to do', async () => {
        const provider = subject.provider();
        const action = await subject.failing!();
        const report = await untilEnded(provider, action, await provider.start(action));
        expect(report.kind).toBe('failed');
        if (report.kind === 'failed') expect(report.error.message.length).toBeGreaterThan(20);
      });
    }

    if (subject.repeats === true) {
      it('begins again what a process took with it, but not for ever', async () => {
        const provider = subject.provider();
        const cutOff = async (lives: number) => {
          const action = await subject.succeeding();
          const { token } = action;
          await writeActionRecord(subject.home, { token, startedAt: new Date().toISOString(), lives });
          return { action, report: await provider.poll!({ ...action, externalId: 'local:any' }) };
        };
        const { action, report } = await cutOff(2);
        expect((await untilEnded(provider, action, report)).kind).toBe('succeeded');
        expect(subject.timesDone(action)).toBe(1);
        expect((await cutOff(3)).report).toMatchObject({ kind: 'failed', error: { code: 'ActionLost' } });
      });
    }

    if (subject.ends === 'succeeded') {
      it('reports the end also to a later life of the process, and work that was never started as lost', async () => {
        const action = await subject.succeeding();
        const provider = subject.provider();
        const ended = await untilEnded(provider, action, await provider.start(action));
        const later = subject.provider();
        expect(await later.start(action)).toEqual(ended);
        // Without a way to ask there is nothing that goes on after the start.
        if (!later.poll) return expect(ended).toEqual(await provider.start(action));
        expect(await later.poll({ ...action, externalId: 'local:any' })).toEqual(ended);
        const lost = await later.poll({ ...(await subject.succeeding()), externalId: 'local:any' });
        expect(lost).toMatchObject({ kind: 'failed', error: { code: 'ActionLost' } });
      });
    }
  });
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
