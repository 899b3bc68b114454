import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxCommand } from './isolation.ts';
import { sharedMemoryBytes } from './limits.ts';
import { kernelFiles, type RungParts } from './rung.ts';
import { deviceFiles } from './host-files.ts';

/** What is mounted below the new root, for one `mount -a`: each `mount` of its own would cost a process. */
export interface SandboxMounts {
  /** Text in the form of /etc/fstab, in the order of mounting. */
  readonly table: string;
  /** Files that must exist to be mounted on, by the paths at which they can be made before anything is mounted. */
  readonly files: readonly string[];
}

interface Bound {
  readonly source: string;
  /** The path inside. */
  readonly path: string;
  readonly readOnly: boolean;
}

/** The same file system that bubblewrap is asked for. What does not exist here is left out where it is read-only. */
export function sandboxMounts(parts: RungParts, command: SandboxCommand): SandboxMounts {
  const { host } = parts;
  const root = host.emptyRoot;
  const tools = outermost([...parts.tools.readOnly, ...(command.readOnly ?? [])].filter(exists));
  const readOnly = [['/usr', '/usr'] as const, ...host.binds].filter(([source]) => exists(source));
  const bounds: Bound[] = [
    ...readOnly.map(([source, path]) => ({ source, path, readOnly: true })),
    { source: command.temporary, path: '/tmp', readOnly: false },
    ...tools.map((path) => ({ source: path, path, readOnly: true })),
    ...[command.home, ...command.writable].map((path) => ({ source: path, path, readOnly: false })),
  ];
  const lines = [
    ['proc', `${root}/proc`, 'proc', 'defaults'],
    ...kernelFiles
      .map((name) => `/proc/${name}`)
      .filter(exists)
      .map((path) => [root + path, root + path, 'none', 'bind,ro']),
    ['tmpfs', `${root}/dev/shm`, 'tmpfs', `mode=1777,size=${sharedMemoryBytes}`],
    ...deviceFiles.map((name) => [`/dev/${name}`, `${root}/dev/${name}`, 'none', 'bind']),
    ...bounds.map((bound) => [bound.source, root + bound.path, 'none', optionsOf(bound)]),
  ];
  const table = lines.map((fields) => `${fields.map(escaped).join(' ')} 0 0\n`).join('');
  const alone = tools.filter((path) => !isDirectory(path));
  return { table, files: alone.map((path) => madeAt(path, root, command)) };
}

/** Without those that lie in another one anyway, such as node in its own directory. */
function outermost(paths: readonly string[]): readonly string[] {
  const covering = ['/usr', ...paths];
  return [...new Set(paths)].filter((path) => !covering.some((other) => path.startsWith(`${other}/`)));
}

/** Below /tmp nothing that is made now would be seen once /tmp is mounted. */
function madeAt(path: string, root: string, { temporary }: SandboxCommand): string {
  return path.startsWith('/tmp/') ? join(temporary, path.slice('/tmp/'.length)) : root + path;
}

function optionsOf({ source, readOnly }: Bound): string {
  const made = isDirectory(source) ? ['X-mount.mkdir'] : [];
  return ['rbind', ...made, ...(readOnly ? ['ro', ...lockedFlags(source)] : [])].join(',');
}

/** A mount from outside keeps its flags in a user namespace: to make it read-only without naming them is refused. */
function lockedFlags(source: string): readonly string[] {
  const real = realpathSync(source);
  let best: { readonly at: string; readonly flags: readonly string[] } = { at: '', flags: [] };
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , , , escapedAt = '', options = ''] = line.split(' ');
    const at = escapedAt.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const holds = real === at || real.startsWith(at.endsWith('/') ? at : `${at}/`);
    if (at !== '' && holds && at.length >= best.at.length) best = { at, flags: options.split(',') };
  }
  return best.flags.filter((flag) => ['nosuid', 'nodev', 'noexec'].includes(flag));
}

function escaped(field: string): string {
  return field.replace(/[\s\\]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
