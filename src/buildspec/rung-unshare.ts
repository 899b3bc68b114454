import { sandboxUser } from './host-files.ts';
import { baseEnvironment } from './environment.ts';
import type { Isolation, SandboxCommand, WrappedCommand } from './isolation.ts';
import { withEgress } from './forwarder.ts';
import { limitsInForce, limitWords } from './limits.ts';
import { asChild, ipcLimits, notReady, type Prepared, type RungParts } from './rung.ts';
import { sandboxMounts } from './sandbox-mounts.ts';

/**
 * Builds the same file system that bubblewrap would. Runs as root of a new user namespace, then gives that up. Paths come
 * as arguments and are never part of the script. Every program that it calls costs some milliseconds of each action, so
 * the skeleton is one copy and the mounts are one table. The old root is put where a mount hides the place.
 * Its namespace may hold one more, that of the command: a command that could make others could mount memory in them that
 * no process owns, and reach parts of the kernel that are otherwise root's.
 * Its root is made read-only as a mount: as a file system it would be asked for its owner again, an id of outside.
 * It stays as process 1: as such the command itself would be deaf to TERM and would have to reap orphans.
 */
const setup = `set -e
(echo 1 > /proc/sys/user/max_user_namespaces) 2>/dev/null || true
(${ipcLimits}) 2>/dev/null || true
wanted=$PATH; PATH=/usr/sbin:/usr/bin:/sbin:/bin
skeleton=$2; user=$3; where=$4; table=$5; network=$6
mount -t tmpfs -o mode=755,size=4m tmpfs "$1"; cd "$1"; shift 6
cp -dR "$skeleton/." .
while [ "$1" != -- ]; do
  [ -d "\${1%/*}" ] || mkdir -p "\${1%/*}"
  [ -e "$1" ] || : > "$1"
  shift
done
shift
printf '%s' "$table" > dev/shm/mounts
mount -a -T dev/shm/mounts
pivot_root . dev/pts
umount -l /dev/pts
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts /dev/pts 2>/dev/null || true
mount -o remount,bind,ro /
[ "$network" = shared ] || ip link set lo up 2>/dev/null || perl -MSocket -e 'socket(S,AF_INET,SOCK_DGRAM,0);ioctl(S,0x8914,pack("a16s","lo",1))' 2>/dev/null || true
hostname build 2>/dev/null || true
cd "$where"
set +e
PATH=$wanted
set -- unshare --user --map-user="$user" --map-group="$user" -- "$@"
${asChild}`;

export function prepareUnshare(parts: RungParts): Prepared {
  const unshare = parts.tools.find('unshare');
  if (unshare === undefined) return notReady('unshare (util-linux) is not on PATH');
  const setpriv = parts.tools.find('setpriv');
  if (setpriv === undefined) return notReady('setpriv (util-linux) is not on PATH');
  const isolation: Isolation = {
    level: 'unshare',
    contained: true,
    path: parts.tools.path,
    limits: parts.limits,
    describe: () =>
      'Commands run in namespaces made by unshare: own processes, files and IPC; only the work directory can be ' +
      `written; nothing outlives a command. ${limitsInForce(parts.tools, parts.limits)}`,
    wrap: (command) => wrap(parts, unshare, setpriv, command),
  };
  return { kind: 'ready', isolation };
}

function wrap(parts: RungParts, unshare: string, setpriv: string, asked: SandboxCommand): WrappedCommand {
  const command = withEgress(asked);
  const mounts = sandboxMounts(parts, command);
  const namespaces = ['--user', '--map-root-user', '--mount', '--pid', '--ipc', '--uts', '--cgroup', '--fork'];
  const words = [
    limitWords(parts.tools, parts.limits),
    // The command dies with this process, even when this process is killed.
    [setpriv, '--pdeathsig', 'KILL', '--no-new-privs', '--'],
    [unshare, ...namespaces, '--kill-child', ...(command.network === 'host' ? [] : ['--net']), '--'],
    ['/bin/sh', '-c', setup, 'penstock-sandbox', parts.host.emptyRoot, parts.host.skeleton, String(sandboxUser.id)],
    [command.cwd, mounts.table, command.network === 'host' ? 'shared' : 'own', ...mounts.files],
    ['--', ...command.argv],
  ].flat();
  const [file = unshare, ...args] = words;
  return { file, args, env: baseEnvironment(command, parts.tools.path, '/tmp') };
}
