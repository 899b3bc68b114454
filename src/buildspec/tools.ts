import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';

export interface Tools {
  /** Real directories outside /usr that hold node, npm, git and what the operator named. */
  readonly readOnly: readonly string[];
  /** PATH inside a sandbox. */
  readonly path: string;
  /** The real file of a program on the given PATH. */
  find(name: string): string | undefined;
}

const sandboxTools = ['bwrap', 'unshare', 'prlimit', 'choom', 'setpriv', 'env', 'git', 'node', 'npm', 'sh', 'ip'];
const alwaysThere = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Finds programs on a PATH; relative entries are left out because they would depend on where a command runs. */
export async function findTools(path: string, toolDirectories: readonly string[]): Promise<Tools> {
  const directories = path.split(delimiter).filter((entry) => isAbsolute(entry));
  const found = new Map<string, string>();
  for (const name of sandboxTools) {
    const file = await findProgram(name, directories);
    if (file !== undefined) found.set(name, file);
  }
  const binaries: string[] = [];
  const readOnly: string[] = [];
  for (const name of ['node', 'git'] as const) {
    const file = found.get(name);
    if (file !== undefined) binaries.push(dirname(await realpath(file)));
  }
  const npm = await npmDirectories(found.get('npm'));
  binaries.push(...npm.binaries);
  readOnly.push(...npm.readOnly);
  for (const directory of toolDirectories) binaries.push(await realpath(directory));
  readOnly.push(...binaries);
  return {
    readOnly: [...new Set(readOnly)].filter((directory) => !coveredByUsr(directory)),
    path: [...new Set([...binaries, ...alwaysThere])].join(':'),
    find: (name) => found.get(name),
  };
}

/** npm is a script in its own package, reached through a link that usually stands beside node. */
async function npmDirectories(file: string | undefined): Promise<{ binaries: string[]; readOnly: string[] }> {
  if (file === undefined) return { binaries: [], readOnly: [] };
  const script = await realpath(file);
  const home = dirname(dirname(script));
  if (basename(home) !== 'npm' || coveredByUsr(script)) return { binaries: [dirname(file)], readOnly: [] };
  return { binaries: [dirname(script)], readOnly: [home] };
}

function coveredByUsr(path: string): boolean {
  return path === '/usr' || path.startsWith('/usr/') || alwaysThere.includes(path);
}

async function findProgram(name: string, directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    const file = join(directory, name);
    if (await isProgram(file)) return file;
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
