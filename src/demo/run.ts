import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { packageRoot } from '../web/package-root.ts';
import { planChange } from './change.ts';
import { Deviation, newScore, type Score } from './checks.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { raiseStage, type StageSet } from './stage-set.ts';
import { playStory } from './story.ts';

export interface DemoOptions {
  /** Takes one line. */
  readonly out: (text: string) => void;
  /** Leaves the temporary directory and says where it is. */
  readonly keep?: boolean;
  readonly color?: boolean;
  /** Where node, git and the sandbox tools are looked for. */
  readonly path: string;
  /** The folder that becomes the repository: examples/web unless said. */
  readonly example?: string;
}

const interruptedCode = 130;

/**
 * Plays one pull request from its first commit to the deploy, with the whole product as it is and a GitHub that stands
 * in. Whatever is shown is checked. Answers the exit code: 0, 1 for a deviation, 130 when it was interrupted.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const narrator = createNarrator(options.out, options.color ?? false, seconds);
  const score = newScore();
  const interrupted = new AbortController();
  const stopListening = onSignals((signal) => interrupted.abort(new Interrupted(signal)));
  let set: StageSet | undefined;
  let code = 0;
  try {
    narrator.title('Penstock demo', 'A pull request from its first commit to the deploy, all of it on this machine.');
    narrator.act('The set');
    narrator.say('Starting a GitHub that stands in, and `penstock serve` beside it …');
    const example = options.example ?? join(packageRoot(), 'examples', 'web');
    const change = await planChange(example);
    set = await raiseStage({ path: options.path, keep: options.keep ?? false, interrupted: interrupted.signal });
    const signal = AbortSignal.any([interrupted.signal, set.penstock.lost]);
    await playStory(example, { change, set, narrator, score, signal });
  } catch (error) {
    code = explain(error, narrator);
  }
  code = Math.max(code, await leave(set, code === 0, narrator, score));
  stopListening();
  const took = `${seconds().toFixed(1)} s`;
  if (code === 0) narrator.end(true, `${score.held} things were checked and hold. Everything is stopped. ${took}.`);
  else narrator.end(false, `The demo ended after ${took} with exit code ${code}.`);
  if (options.keep && set !== undefined) tellWhatStays(set, narrator);
  return code;
}

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

function explain(error: unknown, narrator: Narrator): number {
  if (error instanceof Interrupted) {
    narrator.say('');
    narrator.say(`${error.message}: stopping everything.`);
    return interruptedCode;
  }
  if (error instanceof Deviation) narrator.deviation(error.expected, error.seen, error.evidence);
  else if (error instanceof UserError)
    narrator.deviation('an example and a machine that the demo can work with', error.message, []);
  else narrator.deviation('the story to go on', String(error), [{ heading: 'Where it broke:', lines: stackOf(error) }]);
  return 1;
}

function stackOf(error: unknown): readonly string[] {
  return error instanceof Error ? (error.stack?.split('\n').slice(1) ?? []) : [];
}

/** Stops everything, whatever happened. A server that does not stop in order is a deviation, too. */
async function leave(set: StageSet | undefined, good: boolean, narrator: Narrator, score: Score): Promise<number> {
  try {
    const ended = await set?.strike();
    const seen = ended === null ? 'it had to be killed' : `it ended with ${ended}`;
    if (good) score.expect({ expected: '`penstock serve` to stop when it is asked to', holds: ended === 0, seen });
    return 0;
  } catch (error) {
    return explain(error, narrator);
  }
}

function tellWhatStays({ directory, home }: StageSet, narrator: Narrator): void {
  narrator.say('');
  narrator.say(`Kept, as you asked: ${directory}. Remove it when you are done. To look around:`);
  narrator.lines([
    `  PENSTOCK_HOME=${home} npm run -s penstock -- status`,
    `  PENSTOCK_HOME=${home} npm run -s penstock -- logs <execution>`,
    `  git -C ${join(directory, 'github')}/*.git log --oneline --all --graph`,
  ]);
}

/** The first signal ends the story; the second one ends this process, and with it what it started. */
function onSignals(heard: (signal: string) => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let count = 0;
  const listener = (signal: string) => {
    count += 1;
    if (count === 1) heard(signal);
    else process.exit(interruptedCode);
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
