/** Why an archive as a whole is refused (SEC-D-15, SEC-D-16). */
export class UnsafeArchive extends Error {
  override readonly name = 'UnsafeArchive';
}

export type EntryKind = 'file' | 'directory' | 'link';

export interface PlannedEntry {
  /** Relative, with `/`, without a trailing one. */
  readonly path: string;
  readonly kind: EntryKind;
  readonly executable: boolean;
}

const formatMask = 0o170000;
const kinds: ReadonlyMap<number, EntryKind> = new Map([
  [0, 'file'], // made on a system without modes
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'link'],
]);

/** Reads one entry's name and mode; throws UnsafeArchive for everything but files, directories and links below the root. */
export function planEntry(name: string, externalAttributes: number): PlannedEntry {
  const mode = externalAttributes >>> 16;
  const kind = kinds.get(mode & formatMask);
  if (kind === undefined) throw refuse(name, 'is a device, a pipe or a socket');
  const path = name.endsWith('/') ? name.slice(0, -1) : name;
  checkPath(name, path);
  const directory = name.endsWith('/');
  if (directory && kind === 'link') throw refuse(name, 'is a link that is named like a directory');
  return { path, kind: directory ? 'directory' : kind, executable: (mode & 0o111) !== 0 };
}

function checkPath(name: string, path: string): void {
  if (name === '' || path === '' || name.length > 4096) throw refuse(name, 'has no usable name');
  if (/[\0\\]/.test(name)) throw refuse(name, 'has a NUL or a backslash in its name');
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) throw refuse(name, 'has an absolute path');
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') throw refuse(name, 'has a path with empty, "." or ".." parts');
    if (Buffer.byteLength(part) > 255) throw refuse(name, 'has a part longer than 255 bytes');
    if (/^\.git[. ]*$/i.test(part) || /^git~\d+$/i.test(part)) throw refuse(name, 'reaches into a .git directory');
  }
}

/** Remembers what was planned and refuses what would land on, in or under something else. */
export function createCollisionCheck(): (entry: PlannedEntry) => void {
  const seen = new Map<string, { path: string; kind: EntryKind; explicit: boolean }>();
  return (entry) => {
    const parts = entry.path.split('/');
    for (let end = 1; end < parts.length; end += 1) {
      const parent = parts.slice(0, end).join('/');
      const known = seen.get(folded(parent));
      if (known !== undefined && known.kind !== 'directory')
        throw refuse(entry.path, `lies below ${known.path}, which is no directory`);
      if (known !== undefined && known.path !== parent) throw refuse(entry.path, `collides with ${known.path}`);
      if (known === undefined) seen.set(folded(parent), { path: parent, kind: 'directory', explicit: false });
    }
    const same = seen.get(folded(entry.path));
    const agrees =
      same?.path === entry.path && same.kind === 'directory' && entry.kind === 'directory' && !same.explicit;
    if (same !== undefined && !agrees) throw refuse(entry.path, `collides with ${same.path}`);
    seen.set(folded(entry.path), { path: entry.path, kind: entry.kind, explicit: true });
  };
}

/** A link may point anywhere below the root, never out of it. */
export function checkLinkTarget(path: string, target: string): void {
  if (target === '' || target.includes('\0') || target.startsWith('/') || target.length > 4096) {
    throw refuse(path, 'is a link out of the archive');
  }
  let depth = path.split('/').length - 1;
  for (const part of target.split('/')) {
    if (part === '..') depth -= 1;
    else if (part !== '' && part !== '.') depth += 1;
    if (depth < 0) throw refuse(path, 'is a link out of the archive');
  }
}

function folded(path: string): string {
  return path.normalize('NFC').toLowerCase().normalize('NFC');
}

function refuse(name: string, why: string): UnsafeArchive {
  return new UnsafeArchive(`The archive was refused: ${JSON.stringify(name.slice(0, 200))} ${why}.`);
}
