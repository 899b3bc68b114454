import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What a sandbox sees of this machine besides /usr: never the whole of /etc, which holds passwords and keys. */
export interface HostFiles {
  /** Bound read-only: source, then the path inside. */
  readonly binds: readonly (readonly [string, string])[];
  /** Top-level links such as /bin to usr/bin: the path, then what it points at. */
  readonly links: readonly (readonly [string, string])[];
  readonly emptyRoot: string;
  /** What a new root holds before anything is mounted: links, empty files for devices, places for mounts. */
  readonly skeleton: string;
}

/** The user that a command is, inside: never root, so that tar and npm do not try to change owners. */
export const sandboxUser = { id: 1000, name: 'build' } as const;

const usefulFiles = [
  '/etc/alternatives',
  '/etc/ca-certificates',
  '/etc/ca-certificates.conf',
  '/etc/crypto-policies',
  '/etc/debian_version',
  '/etc/fonts',
  '/etc/host.conf',
  '/etc/java-11-openjdk',
  '/etc/java-17-openjdk',
  '/etc/java-21-openjdk',
  '/etc/java-25-openjdk',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/localtime',
  '/etc/maven',
  '/etc/mime.types',
  '/etc/os-release',
  '/etc/perl',
  '/etc/pki',
  '/etc/protocols',
  '/etc/python3',
  '/etc/python3.11',
  '/etc/python3.12',
  '/etc/python3.13',
  '/etc/services',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
  '/etc/terminfo',
  '/etc/timezone',
];

const ownFiles: Readonly<Record<string, string>> = {
  passwd:
    `root:x:0:0:root:/root:/bin/sh\n${sandboxUser.name}:x:${sandboxUser.id}:${sandboxUser.id}:build:/tmp:/bin/sh\n` +
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  group: `root:x:0:\n${sandboxUser.name}:x:${sandboxUser.id}:\nnogroup:x:65534:\n`,
  hosts: '127.0.0.1 localhost\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
};

export const deviceFiles = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const;

const topLevel = ['/bin', '/lib', '/lib32', '/lib64', '/libx32', '/sbin'];

export async function writeHostFiles(scratch: string): Promise<HostFiles> {
  const etc = join(scratch, 'etc');
  await rm(etc, { recursive: true, force: true });
  await mkdir(etc, { mode: 0o755 });
  for (const path of usefulFiles.filter(exists)) {
    const target = join(scratch, path);
    await mkdir(dirname(target), { recursive: true });
    await cp(path, target, { recursive: true, verbatimSymlinks: true });
  }
  for (const [name, text] of Object.entries(ownFiles)) await writeFile(join(etc, name), text, { mode: 0o644 });
  await symlink('/proc/self/mounts', join(etc, 'mtab'));
  // Bound, not copied: it changes when the machine moves to another network.
  await writeFile(join(etc, 'resolv.conf'), '');
  const emptyRoot = join(scratch, 'root');
  await mkdir(emptyRoot, { recursive: true });
  const tops = topLevel.map((path) => [path, kindOf(path)] as const);
  const links = tops.filter(([, kind]) => kind === 'link').map(([path]) => [path, readlinkSync(path)] as const);
  return {
    binds: [
      [etc, '/etc'],
      ...(exists('/etc/resolv.conf') ? [[realpathSync('/etc/resolv.conf'), '/etc/resolv.conf'] as const] : []),
      ...tops.filter(([, kind]) => kind === 'directory').map(([path]) => [path, path] as const),
    ],
    links,
    emptyRoot,
    skeleton: await writeSkeleton(scratch, links),
  };
}

async function writeSkeleton(scratch: string, links: HostFiles['links']): Promise<string> {
  const skeleton = join(scratch, 'skeleton');
  for (const place of ['proc', 'dev/shm', 'dev/pts']) await mkdir(join(skeleton, place), { recursive: true });
  for (const name of deviceFiles) await writeFile(join(skeleton, 'dev', name), '');
  const standard = { fd: '/proc/self/fd', stdin: 'fd/0', stdout: 'fd/1', stderr: 'fd/2', ptmx: 'pts/ptmx' };
  for (const [name, target] of Object.entries(standard)) await symlink(target, join(skeleton, 'dev', name));
  for (const [path, target] of links) await symlink(target, join(skeleton, path));
  return skeleton;
}

function exists(path: string): boolean {
  return kindOf(path) !== 'absent';
}

function kindOf(path: string): 'link' | 'directory' | 'other' | 'absent' {
  try {
    const found = lstatSync(path);
    if (found.isSymbolicLink()) return 'link';
    return found.isDirectory() ? 'directory' : 'other';
  } catch {
    return 'absent';
  }
}
