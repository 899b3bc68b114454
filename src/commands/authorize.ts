import type { Command, Verb } from './command.ts';
import { verbs, verbTable } from './verbs.ts';

/** Who asks, as GitHub says it at this moment (SEC R3). */
export interface Asker {
  readonly id: number;
  readonly login: string;
  readonly bot: boolean;
  /** `unknown` when GitHub could not be asked; it allows nothing (SEC-B-06). */
  readonly permission: 'admin' | 'write' | 'read' | 'none' | 'unknown';
  /** Author of the pull request that it is about. */
  readonly isAuthor: boolean;
  /** The pull request comes from a fork. */
  readonly fork: boolean;
}

export type Authorization =
  { readonly allowed: true } | { readonly allowed: false; readonly why: string; readonly whoCould: string };

/**
 * Whether a person may ask for this at all. Reading needs read access, everything else write access; the author of a pull
 * request from the same repository may also stop and retry what runs for it. Whether an approval counts is decided by
 * the gate's policy afterwards (approval-rules.ts), which never asks for less than write access.
 */
export function authorize(command: Pick<Command, 'verb'>, asker: Asker): Authorization {
  if (asker.bot) return refuse('Commands are taken from people, not from bots.', 'A person could write it.');
  if (asker.permission === 'unknown')
    return refuse('GitHub could not say which access you have.', 'Try again in a minute.');
  if (mayAsk(command.verb, asker)) return { allowed: true };
  const { needs } = verbTable[command.verb];
  return needs === 'read'
    ? refuse('This needs read access to the repository.', '')
    : refuse(
        `\`${command.verb}\` needs write access to the repository; you have ${accessWords(asker.permission)}.`,
        needs === 'gate'
          ? 'Who may answer a gate is told by `/penstock why`.'
          : 'Anybody with write access could do it.',
      );
}

/** The verbs that `authorize` lets this person use: what /help shows. */
export function allowedVerbs(asker: Asker): readonly Verb[] {
  return verbs.filter((verb) => authorize({ verb }, asker).allowed);
}

function mayAsk(verb: Verb, { permission, isAuthor, fork }: Asker): boolean {
  if (permission === 'admin' || permission === 'write') return true;
  if (permission !== 'read') return false;
  return verbTable[verb].needs === 'read' || (isAuthor && !fork && authorsVerbs.has(verb));
}

const authorsVerbs: ReadonlySet<Verb> = new Set<Verb>(['stop', 'retry']);

function accessWords(permission: Asker['permission']): string {
  return permission === 'none' ? 'none' : `${permission} access`;
}

function refuse(why: string, whoCould: string): Authorization {
  return { allowed: false, why, whoCould };
}
