import { UserError } from '../errors.ts';
import { baseEnvironment } from './environment.ts';
import type { Isolation, SandboxCommand, WrappedCommand } from './isolation.ts';
import { limitsInForce, limitWords } from './limits.ts';
import { brandOf } from './processes.ts';
import type { Prepared, RungParts } from './rung.ts';

/** The last rung: a process group of its own and an empty environment, on the files and network of this machine. */
export function prepareProcess(parts: RungParts): Prepared {
  const why = parts.rejected.length === 0 ? '' : ` (${parts.rejected.join('; ')})`;
  const isolation: Isolation = {
    level: 'process',
    contained: false,
    path: parts.tools.path,
    limits: parts.limits,
    describe: () =>
      `Commands run as plain process groups${why}: they can read and write whatever this user can, ` +
      'use the network of this machine, and a process that leaves its group is only searched for; ' +
      'shared memory of System V stays when they end. ' +
      `Use this for code that you trust. ${limitsInForce(parts.tools, parts.limits)}`,
    wrap: (command) => wrap(parts, command),
  };
  return { kind: 'ready', isolation };
}

function wrap(parts: RungParts, command: SandboxCommand): WrappedCommand {
  if (command.network !== 'host') {
    throw new UserError(
      'This command must run without network or behind the proxy, and the isolation level "process" cannot take the network away. ' +
        'Install bubblewrap or allow user namespaces.',
    );
  }
  const setpriv = parts.tools.find('setpriv');
  const words = [
    ...(setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--no-new-privs', '--']),
    ...limitWords(parts.tools, parts.limits),
    ...brandWords(parts, command.marker),
    ...command.argv,
  ];
  const [file = command.argv[0], ...args] = words;
  return { file, args, env: baseEnvironment(command, parts.tools.path, command.temporary) };
}

function brandWords({ tools }: RungParts, marker: string | undefined): readonly string[] {
  const prlimit = tools.find('prlimit');
  return prlimit === undefined || marker === undefined ? [] : [prlimit, `--msgqueue=${brandOf(marker)}`, '--'];
}
