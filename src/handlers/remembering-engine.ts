import type { Command } from '../commands/command.ts';
import { askedOf, rememberAsked } from '../db/human-commands.ts';
import type { Deps } from '../deps.ts';
import type { Along, Engine } from '../engine/engine.ts';
import type { PipelineCommand } from '../pipeline/protocol.ts';

/** What follows from these words depends on what runs, which the first try may have changed. */
type Remembered = Exclude<PipelineCommand, { readonly kind: 'withdraw' }>;

export interface Remembering {
  readonly engine: Engine;
  /** What an earlier try of the same delivery asked for, after these words. */
  readonly earlier: readonly Remembered[];
}

interface Asking {
  /** The comment or press, which was claimed. */
  readonly source: string;
  readonly words: Command;
  /** In the transaction that does it, where there is one. */
  readonly onDone: NonNullable<Along['onDone']>;
}

/**
 * The engine, for one line of one comment or one press of a button: what is asked of it is on record before, and its
 * answer after. A delivery that is worked on again after a crash or a lost answer asks the same, and nothing twice.
 */
export async function rememberingEngine(
  { db, engine }: Pick<Deps, 'db' | 'engine'>,
  { source, words, onDone }: Asking,
): Promise<Remembering> {
  const line = JSON.stringify(words);
  const known = new Map((await askedOf(db, source)).filter((one) => one.line === line).map((one) => [one.key, one]));
  const obey: Engine['obey'] = async (command, by, along = {}) => {
    if (!isRemembered(command)) return engine.obey(command, by, along);
    const key = JSON.stringify([line, 'token' in command ? command.token : command]);
    const answered = known.get(key)?.obeyed;
    // A gate is judged anew each time: its votes may be others by now.
    if (answered && !('token' in command)) return answered;
    await rememberAsked(db, source, { key, line, command });
    const obeyed = await engine.obey(command, by, {
      ...along,
      onDone: async (trx) => {
        await rememberAsked(trx, source, { key, line, command, obeyed: { outcome: 'done' } });
        await onDone(trx);
      },
    });
    await rememberAsked(db, source, { key, line, command, obeyed });
    return obeyed;
  };
  return {
    engine: { ...engine, obey },
    earlier: [...known.values()].map(({ command }) => command).filter(isRemembered),
  };
}

function isRemembered(command: PipelineCommand): command is Remembered {
  return command.kind !== 'withdraw';
}
