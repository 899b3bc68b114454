import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Isolation } from '../../src/buildspec/isolation.ts';
import { readBuildspec } from '../../src/buildspec/read-buildspec.ts';
import { runPhases, type BuildHost } from '../../src/buildspec/run-phases.ts';
import { openShellSession, type ShellSession } from '../../src/buildspec/shell-session.ts';
import { availableRungs, makeBox, temporaryDirectory, type Box } from './rungs.ts';

const root = await temporaryDirectory();
const rungs = await availableRungs();
const plain = rungs.at(-1)!;

function open(isolation: Isolation, box: Box, signal: AbortSignal, restore = false): Promise<ShellSession> {
  return openShellSession({
    isolation,
    command: {
      cwd: box.work,
      writable: [box.work],
      home: box.home,
      temporary: box.temporary,
      env: {},
      network: 'host',
    },
    shell: '/bin/sh',
    control: box.control,
    marker: box.work,
    output: () => {},
    deadlineMs: 20_000,
    graceMs: 600,
    restore,
    signal,
  });
}

const source = `version: 0.2
phases:
  install: {commands: [echo install >> ran, exit 0]}
  build: {commands: [echo one >> ran], finally: [echo at-last >> ran]}
  post_build: {commands: ["false"], on-failure: RETRY-1}
`;

interface Stopped {
  readonly calls: number;
  readonly begun: readonly string[];
  readonly ran: readonly string[];
  readonly openedLate: boolean;
  readonly status: string;
}

/** Plays the build and stops it at its n-th call of the host: a line of the log, a shell to open, a question. */
async function stopAt(call: number): Promise<Stopped> {
  const read = readBuildspec(source, 'buildspec.yml');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const box = await makeBox(root, `stop-at-${call}`);
  await writeFile(join(box.work, 'ran'), '');
  const stop = new AbortController();
  const seen = { calls: 0, begun: [] as string[], openedLate: false };
  const counted = (): void => {
    seen.calls += 1;
    if (seen.calls === call) stop.abort();
  };
  const host: BuildHost = {
    openSession: async (restore) => {
      counted();
      const isLate = stop.signal.aborted;
      const session = await open(plain, box, stop.signal, restore);
      seen.openedLate ||= isLate && session.identity.pid !== 0;
      counted();
      return session;
    },
    say: (line) => {
      counted();
      const word = /^Running command echo (\S+)/.exec(line)?.[1];
      if (word !== undefined && !stop.signal.aborted) seen.begun.push(word);
    },
    stopped: () => stop.signal.aborted,
    now: () => new Date(0),
    entered: () => {},
    left: () => {},
    forgetOutput: counted,
    outputMatches: () => Promise.resolve(true),
  };
  const { status } = await runPhases(read.buildspec, host);
  const ran = readFileSync(join(box.work, 'ran'), 'utf8').split('\n').slice(0, -1);
  return { ...seen, ran, status };
}

describe('a build that is stopped', () => {
  it('runs nothing of what follows, wherever the stop falls', async () => {
    const whole = await stopAt(Infinity);
    expect(whole).toMatchObject({ ran: ['install', 'one', 'at-last'], status: 'FAILED', openedLate: false });
    expect(whole.calls).toBeGreaterThan(25);
    for (let call = 1; call <= whole.calls; call += 1) {
      const { ran, begun, status, openedLate } = await stopAt(call);
      expect({ call, ran, status, openedLate }).toEqual({ call, ran: begun, status: 'STOPPED', openedLate: false });
    }
  });
});

describe.each(rungs)('a shell on the rung $level that is stopped', (isolation) => {
  it('before it is opened is not started', async () => {
    const session = await open(isolation, await makeBox(root, `never-${isolation.level}`), AbortSignal.abort());
    expect(session.identity.pid).toBe(0);
    expect(await session.run('true')).toEqual({ kind: 'ended', result: { kind: 'stopped', leftOver: 0 } });
    expect(await session.close()).toEqual({ kind: 'stopped', leftOver: 0 });
  });

  it.each([0, 40, 100])('%i ms after its start begins no command any more', async (ms) => {
    const box = await makeBox(root, `early-${isolation.level}-${ms}`);
    const stop = new AbortController();
    const session = await open(isolation, box, stop.signal);
    const outcome = session.run('sleep 20; echo ran > ran');
    if (ms > 0) await sleep(ms);
    stop.abort();
    expect(await outcome).toMatchObject({ kind: 'ended', result: { kind: 'stopped' } });
    expect(existsSync(join(box.work, 'ran'))).toBe(false);
  });
});
