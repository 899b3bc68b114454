import { spawnSync } from 'node:child_process';
import { sandboxUser, type HostFiles } from './host-files.ts';
import { baseEnvironment } from './environment.ts';
import type { Isolation, SandboxCommand, WrappedCommand } from './isolation.ts';
import { withEgress } from './forwarder.ts';
import { limitsInForce, limitWords, sharedMemoryBytes } from './limits.ts';
import { asChild, ipcLimits, kernelFiles, notReady, type Prepared, type RungParts } from './rung.ts';

/** bubblewrap makes the namespaces and the file system; prlimit adds what it does not limit. */
export function prepareBubblewrap(parts: RungParts): Prepared {
  const bwrap = parts.tools.find('bwrap');
  if (bwrap === undefined) return notReady('bwrap is not on PATH');
  const bubblewrap = { bwrap, ...abilitiesOf(bwrap), ipc: ipcWords(parts) };
  const isolation: Isolation = {
    level: 'bubblewrap',
    contained: true,
    path: parts.tools.path,
    limits: parts.limits,
    describe: () =>
      'Commands run in bubblewrap: own processes, files and IPC; only the work directory can be written; ' +
      `nothing outlives a command. ${limitsInForce(parts.tools, parts.limits)}`,
    wrap: (command) => wrap(parts, bubblewrap, command),
  };
  return { kind: 'ready', isolation };
}

interface Bubblewrap {
  readonly bwrap: string;
  /** It can limit the size of a tmpfs (0.7); without, half of the machine's memory fits into /dev/shm. */
  readonly sizes: boolean;
  /**
   * It can keep commands from making user namespaces (0.8), and may here: in one they could mount memory that no process
   * owns, and reach parts of the kernel that are otherwise root's.
   */
  readonly nested: boolean;
  /** Begins it in an IPC namespace with limits, which it cannot make itself; empty where that does not work. */
  readonly ipc: readonly string[];
}

function ipcWords({ tools }: RungParts): readonly string[] {
  const unshare = tools.find('unshare');
  if (unshare === undefined) return [];
  const words = [
    '--user',
    '--map-root-user',
    '--ipc',
    '--',
    '/bin/sh',
    '-c',
    `${ipcLimits} && exec "$@"`,
    'penstock-ipc',
  ];
  const tried = spawnSync(unshare, [...words, '/bin/true'], { timeout: 5_000 });
  return tried.status === 0 ? [unshare, ...words] : [];
}

function abilitiesOf(bwrap: string): Pick<Bubblewrap, 'sizes' | 'nested'> {
  const help = spawnSync(bwrap, ['--help'], { encoding: 'utf8', timeout: 5_000 }).stdout;
  const tried = ['--unshare-user', '--disable-userns', '--ro-bind', '/', '/', '--proc', '/proc', '--', '/bin/true'];
  const nested = help.includes('--disable-userns') && spawnSync(bwrap, tried, { timeout: 5_000 }).status === 0;
  return { sizes: help.includes('--size'), nested };
}

/** With one of its own bwrap would be gone before the daemons in the namespace are. */
const firstProcess = ['--as-pid-1', '--', '/bin/sh', '-c', asChild, 'penstock-sandbox'];

function wrap(parts: RungParts, { bwrap, sizes, nested, ipc }: Bubblewrap, asked: SandboxCommand): WrappedCommand {
  const command = withEgress(asked);
  const env = parts.tools.find('env') ?? '/usr/bin/env';
  // bwrap itself would die of TERM and take the command with it before the command could tidy up.
  const words = [
    ...limitWords(parts.tools, parts.limits),
    env,
    '--ignore-signal=TERM',
    ...ipc,
    bwrap,
    ...namespaceOptions(command),
    ...(ipc.length > 0 ? [] : ['--unshare-ipc']),
    ...(nested ? ['--disable-userns'] : []),
    ...deviceOptions(sizes),
    ...fileOptions(parts.host, [...parts.tools.readOnly, ...(command.readOnly ?? [])], command),
    ...firstProcess,
    '/usr/bin/env',
    '--default-signal=TERM',
    ...command.argv,
  ];
  const [file = env, ...args] = words;
  return { file, args, env: baseEnvironment(command, parts.tools.path, '/tmp') };
}

function namespaceOptions(command: SandboxCommand): string[] {
  return [
    ['--unshare-user', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try'],
    command.network === 'host' ? [] : ['--unshare-net'],
    ['--uid', String(sandboxUser.id), '--gid', String(sandboxUser.id), '--hostname', 'build', '--die-with-parent'],
    ['--chdir', command.cwd],
  ].flat();
}

function deviceOptions(sizes: boolean): string[] {
  const shared = sizes ? ['--perms', '1777', '--size', String(sharedMemoryBytes), '--tmpfs', '/dev/shm'] : [];
  return ['--dev', '/dev', ...shared, ...(sizes ? ['--remount-ro', '/dev'] : [])];
}

function fileOptions(host: HostFiles, readOnly: readonly string[], command: SandboxCommand): string[] {
  return [
    ['--ro-bind', '/usr', '/usr', '--proc', '/proc'],
    kernelFiles.flatMap((name) => ['--ro-bind-try', `/proc/${name}`, `/proc/${name}`]),
    host.links.flatMap(([path, target]) => ['--symlink', target, path]),
    host.binds.flatMap(([source, path]) => ['--ro-bind-try', source, path]),
    ['--bind', command.temporary, '/tmp'],
    readOnly.flatMap((path) => ['--ro-bind', path, path]),
    [command.home, ...command.writable].flatMap((path) => ['--bind', path, path]),
    ['--remount-ro', '/'],
  ].flat();
}
