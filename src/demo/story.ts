import { relative } from 'node:path';
import { packageRoot } from '../web/package-root.ts';
import { approve } from './act-approval.ts';
import { showChecks, showWrites } from './act-checks.ts';
import { showDeploy } from './act-deploy.ts';
import { openBroken } from './act-failure.ts';
import { pushAgain, pushFix } from './act-fix.ts';
import { tellChecks } from './live-checks.ts';
import { author, reviewer, type Show } from './show.ts';

/** From the empty repository to the deploy. Throws Deviation at the first thing that is not as it should be. */
export async function playStory(example: string, tools: Omit<Show, 'repository' | 'repositoryId'>): Promise<void> {
  const { github } = tools.set;
  for (const login of [author, reviewer]) github.createAccount({ login });
  const created = await github.createRepository({ owner: 'acme', name: 'web', seedDirectory: example });
  const repository = created.fullName;
  for (const login of [author, reviewer]) github.setPermission(repository, login, 'write');
  github.install({ owner: 'acme' });
  const show: Show = { ...tools, repository, repositoryId: created.id };
  tellSet(show, example);
  const stopTelling = tellChecks(github, tools.narrator);
  try {
    const broken = await openBroken(show);
    const fixed = await pushFix(show, broken);
    const { writes, ...green } = await pushAgain(show, fixed);
    const answers = await approve(show, green);
    await github.settled();
    await showDeploy(show, green, created.path);
    await showChecks(show, green, [broken.head, fixed.head]);
    showWrites(show, green.head, answers, writes);
  } finally {
    stopTelling();
  }
}

function tellSet({ set, narrator, score, repository }: Show, example: string): void {
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
  narrator.fact('Repository', `${repository}, made from ${nameOf(example)}; the App is installed on it`);
  narrator.fact('People', `${author} writes code, ${reviewer} looks at it; both have write access`);
  score.expect({
    expected: 'the server to say which isolation is in force',
    holds: penstock.isolation !== '',
    seen: 'nothing',
  });
}

/** A folder of ours by its place in the checkout, another by its whole path. */
function nameOf(folder: string): string {
  const inside = relative(packageRoot(), folder);
  return inside.startsWith('..') ? folder : inside;
}
