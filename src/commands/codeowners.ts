import type { OwnedFiles } from './gate.ts';

/**
 * CODEOWNERS as GitHub reads it: patterns like those of .gitignore without `!` and `[…]`, the last one that matches
 * decides, a pattern without owners takes ownership away, and a line that cannot be read is skipped.
 */
export interface Codeowners {
  readonly rules: readonly OwnerRule[];
  /** Numbers of the lines that were skipped, 1-based: what they say about owners is lost. */
  readonly skipped: readonly number[];
}

export interface OwnerRule {
  /** 1-based. */
  readonly line: number;
  readonly pattern: string;
  /** `@login`, `@organisation/team` or an e-mail address; empty: nobody. */
  readonly owners: readonly string[];
}

const maxPattern = 500;
const owner = /^(?:@[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)?|[^\s@]+@[^\s@]+)$/;

export function parseCodeowners(text: string): Codeowners {
  const rules: OwnerRule[] = [];
  const skipped: number[] = [];
  for (const [index, content] of text.split(/\r\n|\n|\r/).entries()) {
    const [pattern, ...owners] = fields(content);
    if (pattern === undefined) continue;
    const isReadable =
      pattern.length <= maxPattern && !/^!|\[|\]/.test(pattern) && owners.every((name) => owner.test(name));
    if (isReadable) rules.push({ line: index + 1, pattern, owners });
    else skipped.push(index + 1);
  }
  return { rules, skipped };
}

/** The owners of one path; empty when nobody owns it. */
export function ownersOf(rules: readonly OwnerRule[], path: string): readonly string[] {
  return rules.findLast((rule) => matchesPattern(rule.pattern, path))?.owners ?? [];
}

/** The touched files by their owners: one entry for each different set of owners. Files without owners are left out. */
export function ownedFiles(rules: readonly OwnerRule[], paths: readonly string[]): readonly OwnedFiles[] {
  const groups = new Map<string, { owners: readonly string[]; files: string[] }>();
  for (const path of paths) {
    const owners = ownersOf(rules, path);
    if (owners.length === 0) continue;
    const key = owners.toSorted().join(' ');
    const group = groups.get(key) ?? { owners, files: [] };
    group.files.push(path);
    groups.set(key, group);
  }
  return Array.from(groups.values());
}

/** Words of a line up to a comment; a backslash keeps the blank after it. */
function fields(line: string): string[] {
  const found: string[] = [];
  let word = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (char === '#' && word === '') break;
    if (char === '\\' && at + 1 < line.length) {
      word += line[at + 1];
      at += 1;
    } else if (char === ' ' || char === '\t') {
      if (word !== '') found.push(word);
      word = '';
    } else word += char;
  }
  return word === '' ? found : [...found, word];
}

export function matchesPattern(pattern: string, path: string): boolean {
  const isDirectory = pattern.endsWith('/');
  const parts = pattern.split('/').filter((part) => part !== '');
  if (parts.length === 0) return false;
  const isAnchored = pattern.startsWith('/') || parts.length > 1;
  const wanted = isAnchored ? parts : ['**', ...parts];
  const names = path.split('/');
  // Unlike in .gitignore, `docs/*` means the files of docs and nothing below its directories.
  const mustEnd = !isDirectory && parts.length > 1 && parts.at(-1) === '*';
  return matchParts(wanted, names, { mustEnd, isDirectory });
}

interface Ending {
  /** The last name must be matched by the last part. */
  readonly mustEnd: boolean;
  /** The last part must be matched by a directory, so a name has to follow. */
  readonly isDirectory: boolean;
}

/** Which numbers of names the parts read so far can have used; each part is compared once with each name. */
function matchParts(parts: readonly string[], names: readonly string[], ending: Ending): boolean {
  let used = new Set<number>([0]);
  for (const part of parts) {
    const next = new Set<number>();
    if (part === '**') {
      for (let count = Math.min(...used); count <= names.length; count += 1) next.add(count);
    } else {
      for (const count of used) {
        const name = names[count];
        if (name !== undefined && matchName(part, name)) next.add(count + 1);
      }
    }
    if (next.size === 0) return false;
    used = next;
  }
  if (ending.mustEnd) return used.has(names.length);
  return Array.from(used).some((count) => count <= names.length - (ending.isDirectory ? 1 : 0));
}

/** `*` is any run of characters and `?` any one; goes back to the last `*` only, so time grows with the product at most. */
function matchName(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let starName = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p;
      starName = n;
      p += 1;
    } else if (pattern[p] === '?' || pattern[p] === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      starName += 1;
      n = starName;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
