import { sandboxUser } from './host-files.ts';
import { baseEnvironment } from './environment.ts';
import type { Isolation, SandboxCommand, WrappedCommand } from './isolation.ts';
import { withEgress } from './forwarder.ts';
import { limitsInForce, limitWords, sharedMemoryBytes } from './limits.ts';
import { kernelFiles, notReady, type Prepared, type RungParts } from './rung.ts';

/**
 * Builds the same file system that bubblewrap would. Runs as root of a new user namespace, then gives that up.
 * It reads its plan from the arguments, so no path is ever part of the script: `KIND SOURCE TARGET` up to `--`.
 * It stays as process 1: as such the command itself would be deaf to TERM and would have to reap orphans.
 */
const setup = `set -e
wanted=$PATH; PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs -o mode=755,size=4m tmpfs "$1"; cd "$1"; user=$2; where=$3; shift 3
readonly_bind() {
  mount --rbind "$1" "$2"
  mount -o remount,bind,ro "$2" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev "$2"
}
place() {
  if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "\${2%/*}"; [ -e "$2" ] || : > "$2"; fi
}
while [ "$1" != -- ]; do
  case $1 in
    ro) if [ -e "$2" ]; then place "$2" ".$3"; readonly_bind "$2" ".$3"; fi ;;
    rw) place "$2" ".$3"; mount --rbind "$2" ".$3" ;;
    link) ln -s "$2" ".$3" ;;
  esac
  shift 3
done
shift
mkdir -p proc dev/shm .old
mount -t proc proc proc
for name in ${kernelFiles.join(' ')}; do [ ! -e proc/$name ] || mount -o bind,ro proc/$name proc/$name; done
mount -t tmpfs -o mode=1777,size=${sharedMemoryBytes} tmpfs dev/shm
for node in null zero full random urandom tty; do : > dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts; mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts 2>/dev/null && ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr
pivot_root . .old
umount -l /.old
rmdir /.old
mount -o remount,ro /
ip link set lo up 2>/dev/null || perl -MSocket -e 'socket(S,AF_INET,SOCK_DGRAM,0);ioctl(S,0x8914,pack("a16s","lo",1))' 2>/dev/null || true
hostname build 2>/dev/null || true
cd "$where"
set +e
PATH=$wanted unshare --user --map-user="$user" --map-group="$user" -- "$@"
exit $?
`;

export function prepareUnshare(parts: RungParts): Prepared {
  const unshare = parts.tools.find('unshare');
  if (unshare === undefined) return notReady('unshare (util-linux) is not on PATH');
  const setpriv = parts.tools.find('setpriv');
  if (setpriv === undefined) return notReady('setpriv (util-linux) is not on PATH');
  const isolation: Isolation = {
    level: 'unshare',
    contained: true,
    path: parts.tools.path,
    describe: () =>
      'Commands run in namespaces made by unshare: own processes, files and IPC; only the work directory can be ' +
      `written; nothing outlives a command. ${limitsInForce(parts.tools)}`,
    wrap: (command) => wrap(parts, unshare, setpriv, command),
  };
  return { kind: 'ready', isolation };
}

function wrap(parts: RungParts, unshare: string, setpriv: string, asked: SandboxCommand): WrappedCommand {
  const command = withEgress(asked);
  const namespaces = ['--user', '--map-root-user', '--mount', '--pid', '--ipc', '--uts', '--cgroup', '--fork'];
  const words = [
    limitWords(parts.tools),
    // The command dies with this process, even when this process is killed.
    [setpriv, '--pdeathsig', 'KILL', '--no-new-privs', '--'],
    [unshare, ...namespaces, '--kill-child', ...(command.network === 'host' ? [] : ['--net']), '--'],
    ['/bin/sh', '-c', setup, 'penstock-sandbox', parts.host.emptyRoot, String(sandboxUser.id), command.cwd],
    plan(parts, command),
    ['--', ...command.argv],
  ].flat();
  const [file = unshare, ...args] = words;
  return { file, args, env: baseEnvironment(command, parts.tools.path, '/tmp') };
}

function plan(parts: RungParts, command: SandboxCommand): string[] {
  const { host, tools } = parts;
  return [
    ['ro', '/usr', '/usr'],
    host.links.flatMap(([path, target]) => ['link', target, path]),
    host.binds.flatMap(([source, path]) => ['ro', source, path]),
    ['rw', command.temporary, '/tmp'],
    [...tools.readOnly, ...(command.readOnly ?? [])].flatMap((path) => ['ro', path, path]),
    [command.home, ...command.writable].flatMap((path) => ['rw', path, path]),
  ].flat();
}
