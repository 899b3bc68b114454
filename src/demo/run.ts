import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { packageRoot } from '../web/package-root.ts';
import { approve } from './act-approval.ts';
import { openBroken } from './act-failure.ts';
import { pushAgain, pushFix } from './act-fix.ts';
import { showChecks, showWrites } from './act-checks.ts';
import { showDeploy } from './act-deploy.ts';
import { planChange } from './change.ts';
import { Deviation, newScore, type Score } from './checks.ts';
import { tellChecks } from './live-checks.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { author, reviewer, type Show } from './show.ts';
import { raiseStage, type StageSet } from './stage-set.ts';

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
    set = await raiseStage({ path: options.path, keep: options.keep ?? false, interrupted: interrupted.signal });
    await play(options, { set, narrator, score, interrupted: interrupted.signal });
  } catch (error) {
    code = explain(error, narrator);
  }
  code = await leave(set, code, narrator, score);
  stopListening();
  const took = `${seconds().toFixed(1)} s`;
  if (code === 0) narrator.end(true, `${score.held} things were checked and hold. Everything is stopped. ${took}.`);
  else narrator.end(false, `The demo ended after ${took} with exit code ${code}. Everything is stopped.`);
  if (options.keep && set !== undefined) tellWhatStays(set, narrator);
  return code;
}

async function play(
  options: DemoOptions,
  { set, interrupted, ...tools }: { set: StageSet; narrator: Narrator; score: Score; interrupted: AbortSignal },
): Promise<void> {
  const { github, penstock } = set;
  const seedDirectory = options.example ?? join(packageRoot(), 'examples', 'web');
  const change = await planChange(seedDirectory);
  for (const login of [author, reviewer]) github.createAccount({ login });
  const { fullName: repository, path } = await github.createRepository({ owner: 'acme', name: 'web', seedDirectory });
  for (const login of [author, reviewer]) github.setPermission(repository, login, 'write');
  github.install({ owner: 'acme' });
  const signal = AbortSignal.any([interrupted, penstock.lost]);
  const show: Show = { set, ...tools, change, repository, signal };
  tellSet(show);
  const stopTelling = tellChecks(github, tools.narrator);
  try {
    const broken = await openBroken(show);
    const fixed = await pushFix(show, broken);
    const { writes, ...green } = await pushAgain(show, fixed);
    const answers = await approve(show, green);
    await github.settled();
    await showDeploy(show, green, path);
    await showChecks(show, green, [broken.head, fixed.head]);
    showWrites(show, green.head, answers, writes);
  } finally {
    stopTelling();
  }
}

function tellSet({ set, narrator, score, repository }: Show): void {
  const { github, penstock, uncontained } = set;
  narrator.fact('GitHub', `a stand-in at ${github.url}, with real git, signed webhooks, check runs and permissions`);
  narrator.fact('Penstock', `\`penstock serve\` at ${penstock.url}, process ${penstock.pid}, embedded database`);
  narrator.fact('Isolation', penstock.isolation);
  if (uncontained) {
    narrator.fact(
      '',
      'A server of yours builds like this only with `embedded: { isolation: process }`; the demo has set it.',
    );
  }
  narrator.fact('Repository', `${repository}, made from examples/web; the App is installed on it`);
  narrator.fact('People', `${author} writes code, ${reviewer} looks at it; both have write access`);
  score.expect({
    expected: 'the server to say which isolation is in force',
    holds: penstock.isolation !== '',
    seen: 'nothing',
  });
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
  else if (error instanceof UserError) narrator.deviation('a machine that the demo can run on', error.message, []);
  else
    narrator.deviation(
      'the story to go on',
      error instanceof Error ? (error.stack ?? error.message) : String(error),
      [],
    );
  return 1;
}

/** Stops everything, whatever happened. A server that does not stop in order is a deviation, too. */
async function leave(set: StageSet | undefined, code: number, narrator: Narrator, score: Score): Promise<number> {
  if (set === undefined) return code;
  try {
    const ended = await set.strike();
    if (code === 0) {
      const seen = ended === null ? 'it had to be killed' : `it ended with ${ended}`;
      score.expect({ expected: '`penstock serve` to stop when it is asked to', holds: ended === 0, seen });
    }
    return code;
  } catch (error) {
    return Math.max(code, explain(error, narrator));
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

function onSignals(heard: (signal: string) => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}
