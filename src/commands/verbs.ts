import type { Verb } from './command.ts';

/**
 * The one table of verbs: the parser's usage texts, /help and docs/commands.md are all made from it.
 */
export interface VerbInfo {
  /** What follows the verb, for example `[stage] [commit] [reason]`. */
  readonly usage: string;
  /** What it does, one sentence. */
  readonly does: string;
  readonly needs: Need;
  readonly example: string;
  readonly shape: Shape;
}

/** `gate`: the gate's policy decides who may. */
type Need = 'read' | 'write' | 'gate';

/** What words the parser takes after a verb. Absent means no. */
export interface Shape {
  readonly target?: 'pipeline' | 'stage' | 'any';
  readonly targetRequired?: boolean;
  readonly commit?: boolean;
  /** Words with a meaning of their own. */
  readonly flags?: readonly string[];
  readonly variables?: boolean;
  readonly execution?: boolean;
  readonly verb?: boolean;
  /** The rest of the line is free text. */
  readonly reason?: 'optional' | 'required';
}

export const verbTable: Readonly<Record<Verb, VerbInfo>> = {
  approve: {
    usage: '[stage] [commit] [reason]',
    does: 'Approves the gate that waits. Name the stage when several gates wait, and all 40 digits of the commit for a fork.',
    needs: 'gate',
    example: 'approve Release checked on staging',
    shape: { target: 'any', commit: true, reason: 'optional' },
  },
  reject: {
    usage: '[stage] [commit] [reason]',
    does: 'Rejects the gate that waits; its stage fails.',
    needs: 'gate',
    example: 'reject Release the migration locks the table',
    shape: { target: 'any', commit: true, reason: 'optional' },
  },
  retry: {
    usage: '[pipeline/stage] [all]',
    does: 'Runs the failed actions of the failed stage again, on the same commit; with `all`, every action of the stage.',
    needs: 'write',
    example: 'retry web/Test all',
    shape: { target: 'any', flags: ['all'] },
  },
  rerun: {
    usage: '[pipeline]',
    does: 'Starts a new execution of the same commit, from the first stage.',
    needs: 'write',
    example: 'rerun web',
    shape: { target: 'pipeline' },
  },
  run: {
    usage: '[pipeline] [VARIABLE=value ...]',
    does: 'Starts a pipeline for the newest commit, with values for its declared variables.',
    needs: 'write',
    example: 'run web LEVEL=full NOTE="two words"',
    shape: { target: 'pipeline', variables: true },
  },
  stop: {
    usage: '[pipeline] [abandon] [reason]',
    does: 'Stops the execution after the actions that run now; with `abandon`, does not wait for them.',
    needs: 'write',
    example: 'stop web abandon wrong branch',
    shape: { target: 'pipeline', flags: ['abandon'], reason: 'optional' },
  },
  rollback: {
    usage: 'pipeline/stage [execution]',
    does: 'Runs a stage again with what an earlier successful execution put there; without an id, the last one before this.',
    needs: 'write',
    example: 'rollback web/Deploy',
    shape: { target: 'stage', targetRequired: true, execution: true },
  },
  hold: {
    usage: 'pipeline/stage reason',
    does: 'Lets nothing enter a stage until somebody releases it.',
    needs: 'write',
    example: 'hold web/Deploy incident in progress',
    shape: { target: 'stage', targetRequired: true, reason: 'required' },
  },
  release: {
    usage: 'pipeline/stage [reason]',
    does: 'Lets executions enter a held stage again.',
    needs: 'write',
    example: 'release web/Deploy incident is over',
    shape: { target: 'stage', targetRequired: true, reason: 'optional' },
  },
  override: {
    usage: 'pipeline/stage [entry or success] [reason]',
    does: 'Goes on although a condition of the stage was not met.',
    needs: 'write',
    example: 'override web/Deploy entry the alarm is known',
    shape: { target: 'stage', targetRequired: true, flags: ['entry', 'success'], reason: 'optional' },
  },
  'ok-to-test': {
    usage: 'commit',
    does: 'Lets the pipelines run for one commit of a fork, without secrets and without network. Takes all 40 digits.',
    needs: 'write',
    example: 'ok-to-test 1f0c9c0a6d9f5b1e7b0c2d3e4f5061728394a5b6',
    shape: { commit: true },
  },
  status: {
    usage: '[pipeline]',
    does: 'Says where every execution of this pull request stands, and why something did not start.',
    needs: 'read',
    example: 'status',
    shape: { target: 'any' },
  },
  why: {
    usage: '[pipeline/stage]',
    does: 'Says for each waiting gate who is missing, and whose answer did not count and why.',
    needs: 'read',
    example: 'why web/Release',
    shape: { target: 'any' },
  },
  plan: {
    usage: '[pipeline]',
    does: 'Says which pipelines this pull request would start, by which filter and with which gates. Starts nothing.',
    needs: 'read',
    example: 'plan',
    shape: { target: 'pipeline' },
  },
  help: {
    usage: '[verb]',
    does: 'Says what you may do here.',
    needs: 'read',
    example: 'help retry',
    shape: { verb: true },
  },
};

export const verbs = Object.keys(verbTable) as readonly Verb[];

/** `word` in any mix of ASCII cases; anything else, look-alike letters too, is no verb (SEC-B-23). */
export function asVerb(word: string): Verb | undefined {
  if (!/^[A-Za-z-]+$/.test(word)) return undefined;
  const lower = word.toLowerCase();
  return verbs.find((verb) => verb === lower);
}

/** How people write commands here: `/` or `/penstock `. */
export type CommandPrefix = '/' | '/penstock ';

export function usageLine(verb: Verb, prefix: CommandPrefix): string {
  return `${prefix}${verb} ${verbTable[verb].usage}`.trimEnd();
}
