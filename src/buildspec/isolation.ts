import { realpath } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { prepareBubblewrap } from './rung-bubblewrap.ts';
import { prepareProcess } from './rung-process.ts';
import { prepareUnshare } from './rung-unshare.ts';
import { writeHostFiles } from './host-files.ts';
import { defaultLimits, type CommandLimits } from './limits.ts';
import { findTools } from './tools.ts';
import { probeRung } from './probe.ts';
import { makeOwnDirectory, temporaryParent } from './own-directory.ts';

/**
 * The isolation ladder: bubblewrap, else unshare (util-linux), else a process group. Which rung is in force is found
 * out by running a command on it, never by looking at version numbers: containers forbid namespaces in many ways.
 * What a rung promises is what `probeRung` has seen it keep.
 */
export type IsolationLevel = 'bubblewrap' | 'unshare' | 'process';

/** `none`: no network at all. `host`: this machine's. `proxy`: public addresses through a socket of `Egress`. */
export type NetworkAccess = 'none' | 'host' | { readonly proxy: string };

export interface SandboxCommand {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** Directories that the command may write to; they keep their paths inside. */
  readonly writable: readonly string[];
  readonly readOnly?: readonly string[];
  readonly home: string;
  /** Is /tmp inside; at the level `process` it is only named by TMPDIR. */
  readonly temporary: string;
  /** Added to the allow-list of `baseEnvironment`. Names must have passed `refusedEnvironmentName`. */
  readonly env: Readonly<Record<string, string>>;
  readonly network: NetworkAccess;
  /** By which its processes are found again where nothing holds them together. */
  readonly marker?: string;
}

export interface WrappedCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Isolation {
  readonly level: IsolationLevel;
  /** Own process, mount and IPC namespaces: nothing outlives a command, nothing outside can be read. */
  readonly contained: boolean;
  /** PATH of every command; also where our own git is found. */
  readonly path: string;
  /** What a command may take where nothing else is said. */
  readonly limits: CommandLimits;
  /** A plain sentence for the start-up message, the check run and `penstock doctor`. */
  describe(): string;
  /** Throws when the rung cannot keep what is asked, for example no network at the level `process`. */
  wrap(command: SandboxCommand): WrappedCommand;
}

export interface IsolationOptions {
  /** The PATH that node, npm, git and the sandbox tools are looked for on. */
  readonly path?: string;
  readonly wanted?: 'auto' | IsolationLevel;
  /** Further directories of build tools to bind read-only and put on PATH. */
  readonly toolDirectories?: readonly string[];
  /** Where small files for sandboxes are kept; made when absent. */
  readonly scratch?: string;
  /** Those of `embedded.limits`. */
  readonly limits?: CommandLimits;
  /** Directories and files of the server that no command may see. */
  readonly hidden?: readonly string[];
}

export const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const rungs = { bubblewrap: prepareBubblewrap, unshare: prepareUnshare, process: prepareProcess } as const;

/** Throws UserError when the wanted level does not work here. */
export async function detectIsolation(options: IsolationOptions = {}): Promise<Isolation> {
  const wanted = options.wanted ?? 'auto';
  const scratch = await makeOwnDirectory(options.scratch ?? temporaryParent('sandbox'));
  const tools = await findTools(options.path ?? standardPath, options.toolDirectories ?? []);
  const host = await writeHostFiles(scratch);
  const seen = ['/usr', ...tools.readOnly, ...host.binds.map(([source]) => source)];
  const levels: readonly IsolationLevel[] = wanted === 'auto' ? ['bubblewrap', 'unshare', 'process'] : [wanted];
  const rejected: string[] = [];
  for (const level of levels) {
    const prepared = rungs[level]({
      tools,
      host,
      scratch,
      limits: options.limits ?? defaultLimits,
      rejected: [...rejected],
    });
    if (prepared.kind === 'absent') {
      rejected.push(`${level}: ${prepared.why}`);
      continue;
    }
    if (prepared.isolation.contained) await refuseSeen(options.hidden ?? [], seen);
    const failure = await probeRung(prepared.isolation, scratch);
    if (failure === undefined) return prepared.isolation;
    rejected.push(`${level}: ${failure}`);
  }
  throw new UserError(
    `Commands cannot be isolated as wanted (embedded.isolation: ${wanted}). ${rejected.join('; ')}. ` +
      'Install bubblewrap, allow user namespaces, or set embedded.isolation to a level that works here.',
  );
}

/** What lies in a directory that every sandbox shows would be readable by every build. */
async function refuseSeen(hidden: readonly string[], seen: readonly string[]): Promise<void> {
  for (const path of hidden) {
    const real = await realpath(path).catch(() => path);
    const inside = seen.find((directory) => real === directory || real.startsWith(`${directory}/`));
    if (inside === undefined) continue;
    throw new UserError(
      `Builds can read everything below ${inside}, and ${path} lies there. Move it elsewhere: ` +
        'set PENSTOCK_HOME to a directory such as /var/lib/penstock, and keep keys there too.',
    );
  }
}
