import { sandboxUser, type HostFiles } from './host-files.ts';
import { baseEnvironment } from './environment.ts';
import type { Isolation, SandboxCommand, WrappedCommand } from './isolation.ts';
import { withEgress } from './forwarder.ts';
import { limitWords } from './limits.ts';
import { notReady, type Prepared, type RungParts } from './rung.ts';

/** bubblewrap makes the namespaces and the file system; prlimit adds what it does not limit. */
export function prepareBubblewrap(parts: RungParts): Prepared {
  const bwrap = parts.tools.find('bwrap');
  if (bwrap === undefined) return notReady('bwrap is not on PATH');
  const isolation: Isolation = {
    level: 'bubblewrap',
    contained: true,
    path: parts.tools.path,
    describe: () =>
      'Commands run in bubblewrap: own processes, files and IPC; only the work directory can be written; ' +
      'nothing outlives a command.',
    wrap: (command) => wrap(parts, bwrap, command),
  };
  return { kind: 'ready', isolation };
}

function wrap(parts: RungParts, bwrap: string, asked: SandboxCommand): WrappedCommand {
  const command = withEgress(asked);
  const env = parts.tools.find('env') ?? '/usr/bin/env';
  // bwrap itself would die of TERM and take the command with it before the command could tidy up.
  const words = [
    ...limitWords(parts.tools),
    env,
    '--ignore-signal=TERM',
    bwrap,
    ...namespaceOptions(command),
    ...fileOptions(parts.host, [...parts.tools.readOnly, ...(command.readOnly ?? [])], command),
    '--',
    '/usr/bin/env',
    '--default-signal=TERM',
    ...command.argv,
  ];
  const [file = env, ...args] = words;
  return { file, args, env: baseEnvironment(command, parts.tools.path, '/tmp') };
}

function namespaceOptions(command: SandboxCommand): string[] {
  return [
    ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    command.network === 'host' ? [] : ['--unshare-net'],
    ['--uid', String(sandboxUser.id), '--gid', String(sandboxUser.id), '--hostname', 'build', '--die-with-parent'],
    ['--chdir', command.cwd],
  ].flat();
}

function fileOptions(host: HostFiles, readOnly: readonly string[], command: SandboxCommand): string[] {
  return [
    ['--ro-bind', '/usr', '/usr', '--proc', '/proc', '--dev', '/dev'],
    host.links.flatMap(([path, target]) => ['--symlink', target, path]),
    host.binds.flatMap(([source, path]) => ['--ro-bind-try', source, path]),
    ['--bind', command.temporary, '/tmp'],
    readOnly.flatMap((path) => ['--ro-bind', path, path]),
    [command.home, ...command.writable].flatMap((path) => ['--bind', path, path]),
    ['--remount-ro', '/'],
  ].flat();
}
