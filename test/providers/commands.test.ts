import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { markerVariable } from '../../src/buildspec/environment.ts';
import { findMarked, startTimeOf } from '../../src/buildspec/processes.ts';
import { endLeftovers, nameOfToken, writeActionRecord } from '../../src/providers/action-record.ts';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { createBackground } from '../../src/providers/background.ts';
import { commands } from '../../src/providers/commands.ts';
import type { CommandsConfiguration } from '../../src/providers/command-deps.ts';
import { unzip } from '../../src/providers/zip.ts';
import { availableRungs, rung, temporaryDirectory } from '../buildspec/rungs.ts';
import { anAction, artifact, finish, untilEnded, type ActionChange, type TestAction } from './action.ts';
import { zipOf } from './zip-of.ts';

const root = await temporaryDirectory();
const home = join(root, 'home');
const artifacts = openArtifactStore(home);
const rungs = await availableRungs();
const best = rungs[0]!;

function providerOn(isolation = best, places = 4) {
  return commands({ home, isolation, network: 'host', artifacts, background: createBackground(home, places) });
}

async function anInput(name: string, files: Parameters<typeof zipOf>[0]) {
  const input = artifact(name);
  await artifacts.put(input.location, await zipOf(files));
  return input;
}

async function command(
  lines: readonly string[],
  change: ActionChange = {},
): Promise<TestAction<CommandsConfiguration>> {
  const inputs = change.inputs ?? [
    await anInput('Source', {
      'a.txt': 'from the source\n',
      'run.sh': { text: '#!/bin/sh\necho ran\n', mode: 0o100755 },
    }),
  ];
  return anAction(home, providerOn(), { ...change, inputs, declaration: { commands: lines, ...change.declaration } });
}

function logOf(action: TestAction<unknown>): string {
  return readFileSync(action.logFile, 'utf8').replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6}/g, 'AT');
}

describe.each(rungs)('commands on the rung $level', (isolation) => {
  it('run in one shell in the primary source, and the log reads like a CI log', async () => {
    const action = await command(['cat a.txt', 'mkdir -p x && cd x', 'pwd | sed "s|.*/||"', './../run.sh']);
    expect(await finish(providerOn(isolation), action)).toMatchObject({ kind: 'succeeded', summary: '4 commands' });
    expect(logOf(action)).toBe(
      `[Container] AT ${isolation.describe()}\n[Container] AT Running command cat a.txt\nfrom the source\n` +
        '[Container] AT Running command mkdir -p x && cd x\n[Container] AT Running command pwd | sed "s|.*/||"\nx\n' +
        '[Container] AT Running command ./../run.sh\nran\n',
    );
  });

  it('take names that git allows for branches as values, which no shell reads (SEC-D-01)', async () => {
    const names = ['$(id)', '`id`', ';id;', '${IFS}x', 'a&&b', `x'y"z`, '--upload-pack=x', '-x', '@', '<img>', 'x|y'];
    const variables = names.map((value, index) => ({ name: `BRANCH_${index}`, value, type: 'PLAINTEXT' as const }));
    const action = await command(
      names.map((_name, index) => `printf '%s\\n' "$BRANCH_${index}"; OUT_${index}="$BRANCH_${index}"`),
      {
        origin: { headSha: 'a'.repeat(40), branch: '$(id)' },
        declaration: { environmentVariables: variables, outputVariables: names.map((_name, index) => `OUT_${index}`) },
      },
    );
    const report = await finish(providerOn(isolation), action);
    expect(report.kind === 'succeeded' && Object.values(report.outputVariables)).toEqual(names);
    expect(
      logOf(action)
        .split('\n')
        .filter((line) => names.includes(line)),
    ).toEqual(names);
    expect(logOf(action)).not.toContain('uid=');
  });

  it('stop at the first failure and say which command and how', async () => {
    const action = await command(['echo one', 'sh -c "exit 4"', 'echo never']);
    expect(await finish(providerOn(isolation), action)).toMatchObject({
      kind: 'failed',
      error: { code: 'JobFailed', message: 'The command "sh -c "exit 4"" ended with exit status 4.' },
    });
    expect(logOf(action)).not.toContain('never');
  });

  it('go on in a new shell with the same variables when one leaves its shell in peace', async () => {
    const action = await command([
      'export A=kept; cd /usr',
      'exit 0',
      'echo "$A $PWD"',
      '(exit 0); kill -9 $$',
      'echo never',
    ]);
    expect(await finish(providerOn(isolation), action)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('The command "(exit 0); kill -9 $$" ended with exit status') },
    });
    expect(logOf(action)).toContain('\nkept /usr\n');
    expect(logOf(action)).not.toContain('\nnever\n');
  });

  it('are ended by stop, with everything that they started', async () => {
    const provider = providerOn(isolation);
    const action = await command(['setsid sleep 300 & sleep 300']);
    const first = await provider.start(action);
    await expect.poll(() => findMarked(nameOfToken(action.token)).length).toBeGreaterThan(0);
    await provider.stop?.(action);
    expect(await untilEnded(provider, action, first)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('stop') },
    });
    expect(findMarked(nameOfToken(action.token))).toEqual([]);
  });
});

describe('what commands see and give', () => {
  it('other inputs by name, declared variables as data (SEC-D-02), secrets by name and masked', async () => {
    const inputs = [await anInput('Source', { a: 'a' }), await anInput('Docs', { d: 'from docs' })];
    const action = await command(
      ['cat "$CODEBUILD_SRC_DIR_Docs/d"; echo; printf "%s\\n" "$TITLE"; echo "key=$KEY"; echo "$KEY" | base64'],
      {
        inputs,
        secrets: { DEPLOY_KEY: 'very-secret-value' },
        declaration: {
          environmentVariables: [
            { name: 'TITLE', value: '$(id); `id` "x"', type: 'PLAINTEXT' },
            { name: 'KEY', value: 'DEPLOY_KEY', type: 'SECRETS_MANAGER' },
          ],
          outputVariables: ['OUT', 'LEAK', 'UNSET'],
        },
      },
    );
    const lines = [...action.declaration.commands, 'OUT="$TITLE"; LEAK="[$KEY]"'];
    const changed = { ...action, declaration: { ...action.declaration, commands: lines } };
    const report = await finish(providerOn(), changed);
    expect(report).toMatchObject({
      kind: 'succeeded',
      outputVariables: { OUT: '$(id); `id` "x"', LEAK: '[***]', UNSET: '' },
    });
    expect(logOf(action)).toContain('from docs\n$(id); `id` "x"\nkey=***\n***');
    expect(logOf(action)).not.toContain('very-secret');
    expect(logOf(action)).not.toContain(Buffer.from('very-secret-value').toString('base64').slice(0, 12));
  });

  it('a secret that this action may not see is a failure that says what to do', async () => {
    const action = await command(['true'], {
      declaration: { environmentVariables: [{ name: 'KEY', value: 'NPM_TOKEN', type: 'SECRETS_MANAGER' }] },
    });
    expect(await finish(providerOn(), action)).toMatchObject({
      kind: 'failed',
      error: {
        code: 'ConfigurationError',
        message: expect.stringMatching(/KEY asks for the secret NPM_TOKEN.*penstock\.server\.yml/),
      },
    });
  });

  it('names that change how tools work are refused (SEC-C-09)', async () => {
    const action = await command(['true'], {
      declaration: { environmentVariables: [{ name: 'LD_PRELOAD', value: 'x', type: 'PLAINTEXT' }] },
    });
    expect(await finish(providerOn(), action)).toMatchObject({
      kind: 'failed',
      error: { code: 'ConfigurationError', message: expect.stringContaining('LD_PRELOAD') },
    });
  });

  it('pack what the patterns name, without links that lead out', async () => {
    const output = artifact('Out');
    const action = await command(
      [
        'mkdir -p dist/.hidden && echo 1 > dist/a && echo 2 > dist/.hidden/b && ln -s /etc/passwd dist/stolen && ln -s a dist/alias && chmod +x dist/a',
      ],
      {
        outputs: [output],
        declaration: { outputArtifacts: [{ name: 'Out', files: ['dist/**/*'] }] },
      },
    );
    expect((await finish(providerOn(), action)).kind).toBe('succeeded');
    const directory = join(root, 'unpacked');
    await mkdir(directory);
    await unzip({ file: (await artifacts.get(output.location))!.file }, directory);
    expect(readFileSync(join(directory, 'dist/.hidden/b'), 'utf8')).toBe('2\n');
    expect(readFileSync(join(directory, 'dist/alias'), 'utf8')).toBe('1\n');
    expect(existsSync(join(directory, 'dist/stolen'))).toBe(false);
  });

  it.each([
    [['dist'], '"dist" is a directory. Write "dist/**/*"'],
    [['*.jar'], '"*.jar" matched no file'],
  ])('say why nothing could be packed: %j', async (files, words) => {
    const action = await command(['mkdir dist && touch dist/a'], {
      outputs: [artifact('Out')],
      declaration: { outputArtifacts: [{ name: 'Out', files }] },
    });
    expect(await finish(providerOn(), action)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining(words) },
    });
  });

  it('a missing input is named (CP-D-26, CP-F-10, CP-J-17)', async () => {
    const action = await command(['true'], { inputs: [artifact('Built')] });
    expect(await finish(providerOn(), action)).toMatchObject({
      kind: 'failed',
      error: { code: 'ConfigurationError', message: expect.stringMatching(/Built was never written \(NoSuchKey/) },
    });
  });
});

describe.each(rungs.filter((isolation) => isolation.contained))(
  'two repositories on one host, on the rung $level',
  (isolation) => {
    it('see nothing of each other, of our home or of what listens here (SEC-C-12, SEC-C-17)', async () => {
      const waiting = await command(['echo canary-of-the-other > secret.txt; echo ready; sleep 60']);
      const provider = providerOn(isolation);
      const first = await provider.start(waiting);
      await expect.poll(() => existsSync(waiting.logFile) && logOf(waiting)).toContain('\nready\n');
      const look = await command([
        `find / -name 'secret.tx[t]' 2>/dev/null; ls ${home} ${home}/work ${home}/logs; grep -rs 'canary-of-the-othe[r]' ${home} /proc/[0-9]*/environ; ps ax | grep -c '[s]leep 60'; true`,
      ]);
      expect((await finish(provider, look)).kind).toBe('succeeded');
      const seen = logOf(look)
        .split('\n')
        .filter((line) => !line.startsWith('[Container]'))
        .join('\n');
      expect(seen).not.toContain('/secret.txt');
      expect(seen).not.toContain('canary-of-the-other');
      expect(seen).not.toContain(waiting.actionExecution);
      await provider.stop?.(waiting);
      await untilEnded(provider, waiting, first);
    });
  },
);

describe('code of forks', () => {
  it('is not run where it cannot be isolated', async () => {
    const provider = providerOn(await rung('process'));
    const report = await finish(provider, await command(['true'], { trust: 'fork' }));
    expect(report).toMatchObject({
      kind: 'failed',
      error: { code: 'PermissionError', message: expect.stringContaining('Install bubblewrap') },
    });
  });

  it.each(rungs.filter((isolation) => isolation.contained))('has no network on the rung $level', async (isolation) => {
    const action = await command(['cat /proc/net/route | wc -l; ls -A /sys/class/net 2>/dev/null | wc -l'], {
      trust: 'fork',
    });
    await finish(providerOn(isolation), action);
    expect(logOf(action)).toMatch(/\n1\n0\n$/);
  });
});

describe('over a restart of the process', () => {
  it('work of the old process is lost, not repeated, and what it left running is ended', async () => {
    const action = await command(['echo again']);
    const marker = nameOfToken(action.token);
    const child = spawn('sleep', ['300'], {
      detached: true,
      stdio: 'ignore',
      env: { PATH: process.env['PATH'] ?? '', [markerVariable]: marker },
    });
    await once(child, 'spawn');
    const identity = { pid: child.pid!, startTime: startTimeOf(child.pid!) ?? '', marker };
    await writeActionRecord(home, { token: action.token, startedAt: new Date().toISOString(), process: identity });
    const report = await providerOn().start(action);
    expect(report).toMatchObject({
      kind: 'failed',
      error: { code: 'ActionLost', message: expect.stringContaining('Retry the stage') },
    });
    expect(startTimeOf(identity.pid)).toBeUndefined();
    expect(logOf(action)).toBe('');
  });

  it('a sweep at start ends leftovers, but not a stranger that got the same pid', async () => {
    const other = join(root, 'sweep');
    const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
    await once(child, 'spawn');
    const pid = child.pid!;
    await writeActionRecord(other, { token: 'a', startedAt: '', process: { pid, startTime: '1', marker: 'nobody' } });
    expect(await endLeftovers(other, new Date())).toBe(0);
    await writeActionRecord(other, {
      token: 'a',
      startedAt: '',
      process: { pid, startTime: startTimeOf(pid)!, marker: 'nobody' },
    });
    expect(await endLeftovers(other, new Date())).toBe(1);
    expect(startTimeOf(pid)).toBeUndefined();
  });
});

describe('the number of commands at once', () => {
  it('is kept, and a stopped one that waits gives up its turn', async () => {
    const provider = providerOn(best, 1);
    const [first, second, third] = await Promise.all([
      command(['sleep 0.3; date +%s%N']),
      command(['true']),
      command(['date +%s%N']),
    ]);
    const started = [await provider.start(first), await provider.start(second), await provider.start(third)];
    await provider.stop?.(second);
    const ends = await Promise.all(
      [first, second, third].map((action, index) => untilEnded(provider, action, started[index]!)),
    );
    expect(ends.map(({ kind }) => kind)).toEqual(['succeeded', 'failed', 'succeeded']);
    const moments = [first, third].map((action) => Number(/\n(\d{19})\n/.exec(logOf(action))?.[1]));
    expect(moments[1]).toBeGreaterThan(moments[0]!);
  });
});
