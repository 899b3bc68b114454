import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startEgress } from '../../src/buildspec/egress.ts';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { createBackground } from '../../src/providers/background.ts';
import type { BuildNetwork, TimeLimits } from '../../src/providers/command-deps.ts';
import { commands } from '../../src/providers/commands.ts';
import type { ActionReport } from '../../src/providers/provider.ts';
import { availableRungs, temporaryDirectory } from '../buildspec/rungs.ts';
import { anAction, artifact, finish, type ActionChange } from './action.ts';
import { zipOf } from './zip-of.ts';

const root = await temporaryDirectory();
const home = join(root, 'home');
const artifacts = openArtifactStore(home);
const rungs = await availableRungs();
const contained = rungs.filter((isolation) => isolation.contained);

type Hostile = ActionChange & {
  readonly times?: TimeLimits;
  /** None where that can be kept when absent. */
  readonly network?: BuildNetwork;
  /** What befalls the stored source. */
  readonly tamper?: (file: string) => Promise<void>;
};

interface Ran {
  readonly report: ActionReport;
  readonly log: string;
}

async function hostile(
  isolation: (typeof contained)[number],
  lines: readonly string[],
  { times, network = isolation.contained ? 'none' : 'host', ...change }: Hostile = {},
): Promise<Ran> {
  const background = createBackground(home, 4);
  const provider = commands({
    home,
    isolation,
    network,
    artifacts,
    background,
    ...(times === undefined ? {} : { times }),
  });
  const input = artifact('Source');
  const stored = await artifacts.put(input.location, await zipOf({ 'a.txt': 'a' }));
  await change.tamper?.(stored.file);
  const declaration = { commands: lines, ...change.declaration };
  const action = anAction(home, provider, { ...change, inputs: [input], declaration });
  const report = await finish(provider, action);
  // Of what was refused there may be none.
  return { report, log: existsSync(action.logFile) ? readFileSync(action.logFile, 'utf8') : '' };
}

/** A directory that no build may reach, with a file in it. */
async function outsideOf(isolation: (typeof contained)[number], name: string): Promise<string> {
  const outside = join(root, `${name}-${isolation.level}`);
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), 'LEAKED=canary-of-the-server\0');
  return outside;
}

describe.each(contained)('on the rung $level the server is not led out of a work area (SEC-C-12)', (isolation) => {
  it('to write, by links among the files that its commands come in', async () => {
    const outside = await outsideOf(isolation, 'written');
    const plant = `for n in 2 3 4 match; do rm -rf "$PENSTOCK_CONTROL/$n"; ln -s ${outside}/new "$PENSTOCK_CONTROL/c$n"; ln -s ${outside} "$PENSTOCK_CONTROL/$n"; done; true`;
    const { report } = await hostile(isolation, [plant, 'echo evil']);
    expect(report.kind).toBe('succeeded');
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  it.each([
    ['a link', (outside: string) => `ln -s ${outside}/secret`],
    ['a pipe', () => 'fifo() { mkfifo "$1" && { cat "$1" > /dev/null & }; }; fifo'],
    ['a directory', () => 'mkdir'],
  ])('to read, by %s in place of the values that a build gives', async (name, make) => {
    const outside = await outsideOf(isolation, `read-${name.slice(2)}`);
    const places = '"$PENSTOCK_CONTROL/values" "$PENSTOCK_CONTROL/kept/values"';
    const plant = `for v in ${places}; do rm -f "$v"; ${make(outside)} "$v"; done; true`;
    const declaration = { outputVariables: ['LEAKED', 'MINE'] };
    const { report } = await hostile(isolation, [`MINE=mine; ${plant}`], { declaration });
    expect(report).toMatchObject({ kind: 'succeeded', outputVariables: { LEAKED: '' } });
  });

  it('to pack, by a link in place of the source', async () => {
    const outside = await outsideOf(isolation, 'packed');
    const output = artifact('Out');
    const { report } = await hostile(isolation, [`cd .. && mv 0 moved && ln -s ${outside} 0`], { outputs: [output] });
    expect(report).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('the place of the source directory') },
    });
    expect(await artifacts.get(output.location)).toBeNull();
  });
});

it.each(contained)(
  'each build has a door of its own in the proxy, which ends with it, on the rung $level (SEC-C-14)',
  async (isolation) => {
    const egress = await startEgress({ allowHosts: [] });
    const sockets: string[] = [];
    const open = async () => {
      const door = await egress.open();
      sockets.push(door.socket);
      return door;
    };
    const ask = ['echo "$HTTPS_PROXY"'];
    const builds = await Promise.all([1, 2].map(() => hostile(isolation, ask, { network: { open } })));
    for (const { log } of builds) expect(log).toMatch(/^http:\/\/127\.0\.0\.1:3128$/m);
    expect(new Set(sockets).size).toBe(2);
    expect(sockets.filter(existsSync)).toEqual([]);
    await egress.close();
  },
);

describe.each(rungs)('code of a fork on the rung $level', (isolation) => {
  it('runs without secrets and network where it can be kept apart, and not at all where it cannot (SEC-C-06, SEC-C-10, SEC-C-12)', async () => {
    const environmentVariables = [{ name: 'KEY', value: 'DEPLOY', type: 'SECRETS_MANAGER' as const }];
    const asking = await hostile(isolation, ['echo ran'], { trust: 'fork', declaration: { environmentVariables } });
    const { report, log } = await hostile(isolation, ['echo ran; cat /proc/net/route | wc -l'], { trust: 'fork' });
    expect(asking.report.kind).toBe('failed');
    expect(asking.log).not.toMatch(/^ran$/m);
    if (isolation.contained) {
      expect(report.kind).toBe('succeeded');
      expect(log).toMatch(/^ran\n1$/m);
    } else {
      expect(log).not.toMatch(/^ran$/m);
      expect(report).toMatchObject({
        kind: 'failed',
        error: {
          message: expect.stringMatching(/^Code of a fork is not run here, .* Install bubblewrap on the server/),
        },
      });
    }
  });
});

describe.each(rungs)('a hostile build on the rung $level', (isolation) => {
  it.each(['LD_PRELOAD', 'BASH_ENV', 'ENV', 'NODE_OPTIONS', 'GIT_SSH_COMMAND', 'PATH', 'HOME', 'IFS', 'PYTHONPATH'])(
    'runs nothing with a %s from a file (SEC-C-09)',
    async (name) => {
      const environmentVariables = [{ name, value: './evil', type: 'PLAINTEXT' as const }];
      const { report, log } = await hostile(isolation, ['echo ran'], { declaration: { environmentVariables } });
      expect(report).toMatchObject({
        kind: 'failed',
        error: { code: 'ConfigurationError', message: expect.stringContaining(name) },
      });
      expect(log).not.toContain('ran');
    },
  );

  it('gets titles, messages and names as values that nothing reads as commands (SEC-D-02)', async () => {
    const value = '$(id); `id`\n\u001b[31m"x\'y" && id; ${IFS}';
    const environmentVariables = [{ name: 'TITLE', value, type: 'PLAINTEXT' as const }];
    const declaration = { environmentVariables, outputVariables: ['TOLD'] };
    const { report, log } = await hostile(isolation, ['TOLD=$TITLE; printf "%s" "$TITLE"'], { declaration });
    expect(report).toMatchObject({ kind: 'succeeded', outputVariables: { TOLD: value } });
    expect(log).not.toContain('uid=');
  });

  it('prints no secret that it was given, in no form that tools write (SEC-D-09)', async () => {
    const secret = `pa"ss/w'o<rd>&-${isolation.level}`;
    const environmentVariables = [{ name: 'KEY', value: 'DEPLOY', type: 'SECRETS_MANAGER' as const }];
    const print = `echo "$KEY"; printf %s "$KEY" | base64; printf x%s "$KEY" | base64 -w 9; printf %s "$KEY" | od -An -tx1
      for c in 1 2 3 4 5 6 7 8; do printf %s "$KEY" | cut -c$c- | head -c 1; done > /dev/null; printf "%.8s" "$KEY"; sleep 0.05; printf %s "\${KEY#????????}"
      node -p 'JSON.stringify(process.env.KEY) + encodeURIComponent(process.env.KEY) + JSON.stringify(JSON.stringify(process.env.KEY))'; env`;
    const { log } = await hostile(isolation, [print], {
      secrets: { DEPLOY: secret },
      declaration: { environmentVariables },
    });
    const encoded = Buffer.from(secret);
    const forms = [
      secret,
      encoded.toString('base64').slice(0, 16),
      encoded.toString('hex'),
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
    ];
    for (const form of forms) expect(log.replaceAll('\n', '')).not.toContain(form);
    expect(log).toContain('***');
  });

  it('leaves nothing: no daemon, no directory, however deep or locked (SEC-C-13)', async () => {
    const deep = `python3 -c 'import os
for _ in range(30): os.mkdir("d" * 200); os.chdir("d" * 200)'`;
    const { report } = await hostile(isolation, [
      `(setsid nohup sleep 300 > /dev/null 2>&1 &); mkdir l; chmod 0 l; ${deep}`,
    ]);
    expect(report.kind).toBe('succeeded');
    expect(await readdir(join(home, 'work'))).toEqual([]);
  });

  it('gets no more time than the operator allows, and its log says so (SEC-C-14)', async () => {
    const times = { defaultMinutes: null, maximumMinutes: 0.01 };
    const { report, log } = await hostile(isolation, ["trap '' TERM; sleep 300"], { times });
    expect(report).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining('timeout') } });
    expect(log).toContain('0.01 minutes is the most that embedded.limits.maximumTime allows on this server');
  });

  it('stores no artifact that nobody could unpack (SEC-D-16)', async () => {
    const output = artifact('Out');
    const { report } = await hostile(isolation, ['truncate -s 6G a b'], { outputs: [output] });
    expect(report).toMatchObject({
      kind: 'failed',
      error: {
        message: expect.stringMatching(/Out cannot be stored: 3 files of \d+ bytes are more than .* Name fewer files/),
      },
    });
  });

  it('is not even begun on a source that was changed where it is stored (SEC-C-10)', async () => {
    const tamper = async (file: string) => {
      await chmod(file, 0o600);
      await writeFile(file, await zipOf({ 'a.txt': 'b' }));
    };
    const { report, log } = await hostile(isolation, ['echo ran'], { tamper });
    expect(report).toMatchObject({
      kind: 'failed',
      error: {
        message: expect.stringMatching(/is not what was stored: its digest differs. Retry the action that made it/),
      },
    });
    expect(log).not.toContain('ran');
  });
});
