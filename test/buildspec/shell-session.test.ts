import { describe, expect, it } from 'vitest';
import { openShellSession, type ShellSession } from '../../src/buildspec/shell-session.ts';
import { availableRungs, makeBox, temporaryDirectory } from './rungs.ts';

const rungs = await availableRungs();
const root = await temporaryDirectory();
let count = 0;

async function open(
  isolation: (typeof rungs)[number],
  shell = '/bin/sh',
): Promise<{ session: ShellSession; output: () => string }> {
  count += 1;
  const box = await makeBox(root, String(count));
  let output = '';
  const session = await openShellSession({
    isolation,
    command: {
      cwd: box.work,
      writable: [box.work],
      home: box.home,
      temporary: box.temporary,
      env: {},
      network: 'host',
    },
    shell,
    control: box.control,
    marker: `session-${process.pid}-${count}`,
    output: (chunk) => {
      output += chunk.toString();
    },
    deadlineMs: 20_000,
  });
  return { session, output: () => output };
}

describe.each(rungs)('a shell on the rung $level', (isolation) => {
  it('carries directory, variables and background processes from command to command', async () => {
    const { session, output } = await open(isolation);
    expect(await session.run('cd /usr; X="a b"')).toEqual({ kind: 'finished', status: 0 });
    expect(await session.run('pwd; echo "$X"; sleep 60 & PID=$!')).toEqual({ kind: 'finished', status: 0 });
    expect(await session.run('kill -0 $PID')).toEqual({ kind: 'finished', status: 0 });
    expect(await session.run('false')).toEqual({ kind: 'finished', status: 1 });
    expect(await session.read(['X', 'MISSING'])).toEqual({ X: 'a b' });
    expect(await session.close()).toMatchObject({ kind: 'exited', status: 0 });
    expect(output()).toBe('/usr\na b\n');
  });

  it('ends with the status of a command that leaves the shell, or that is no shell at all', async () => {
    const left = await open(isolation);
    expect(await left.session.run('exit 3')).toMatchObject({ kind: 'ended', result: { kind: 'exited', status: 3 } });
    const broken = await open(isolation);
    expect(await broken.session.run("echo 'no end")).toMatchObject({
      kind: 'ended',
      result: { kind: 'exited', status: 2 },
    });
    expect(broken.output()).toMatch(/[Uu]nterminated quoted string/);
  });

  it('lets commands open their output by its name, as scripts do that print errors', async () => {
    const { session, output } = await open(isolation);
    expect(await session.run('echo e > /dev/stderr; echo o > /dev/stdout; echo t | tee /dev/stderr')).toEqual({
      kind: 'finished',
      status: 0,
    });
    await session.close();
    expect(output()).toBe('e\no\nt\nt\n');
  });

  it.each(['/bin/sh', '/bin/bash'])('traces the commands of %s and nothing of its own', async (shell) => {
    const { session, output } = await open(isolation, shell);
    for (const command of ['set -x', 'A=1', 'exec 3>&1 4>&1', 'echo three >&3']) await session.run(command);
    await session.set('GIVEN', 1);
    expect(await session.run('set +x; test $A$GIVEN = 11; (exit 7)')).toEqual({ kind: 'finished', status: 7 });
    await session.run('echo quiet');
    expect(await session.read(['A'])).toEqual({ A: '1' });
    await session.close();
    const lines = output()
      .split('\n')
      .map((line) => line.replace(/^\++ /, '+ '));
    expect(lines).toEqual(['+ A=1', '+ exec', '+ echo three', 'three', '+ set +x', 'quiet', '']);
  });

  it('hides its own descriptors, so that a command reading its input gets nothing', async () => {
    const { session, output } = await open(isolation);
    expect(
      await session.run(
        'cat; read line; echo "[$line]"; (echo run c9 0 >&8) 2>/dev/null || (echo >&4) 2>/dev/null || echo closed',
      ),
    ).toEqual({ kind: 'finished', status: 0 });
    await session.close();
    expect(output()).toBe('[]\nclosed\n');
  });

  it('keeps values with line breaks and quotes as they are', async () => {
    const { session } = await open(isolation, '/bin/bash');
    await session.run(`V="$(printf 'one\\n"two"\\\\ =three')"; arr=(1 2)`);
    expect(await session.read(['V'])).toEqual({ V: 'one\n"two"\\ =three' });
    await session.close();
  });
});
