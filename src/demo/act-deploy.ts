import { readFile } from 'node:fs/promises';
import { openArtifactStore } from '../providers/artifact-store.ts';
import { ownBuckets } from '../providers/bucket-names.ts';
import type { PullRequest } from './act-failure.ts';
import { git } from './github/git.ts';
import { evidence, short, type Show } from './show.ts';
import { columns } from './typography.ts';

const bucket = 'acme-pool-site';

/** What was deployed, compared with what git holds at the approved commit. */
export async function showDeploy(show: Show, { head }: PullRequest, gitDirectory: string): Promise<void> {
  const { narrator, score, set } = show;
  narrator.act('The deploy');
  const objects = await openArtifactStore(set.home).list(ownBuckets({ id: show.repositoryId }, bucket));
  narrator.say(`Bucket ${bucket} of the object store on this machine:`);
  narrator.lines(columns(objects.map(({ location, size }) => [`  ${location.key}`, `${size} bytes`])));
  const tracked = await git(gitDirectory, ['ls-tree', '-r', '--name-only', head, 'site']);
  const wanted = [...tracked.out.toString().trim().split('\n'), 'site/version.json'].toSorted();
  const keys = objects.map(({ location }) => location.key).toSorted();
  score.expect({
    expected: `in ${bucket}: ${wanted.join(', ')}`,
    holds: keys.join() === wanted.join(),
    seen: keys.join(', ') || 'nothing',
    evidence: () => evidence(show, head),
  });
  for (const { location, file } of objects) {
    const deployed = await readFile(file, 'utf8');
    const { key } = location;
    const should = key === 'site/version.json' ? `{"commit":"${head}"}\n` : await contentAt(gitDirectory, head, key);
    score.expect({
      expected: `${key} as it is at ${short(head)}`,
      holds: deployed === should,
      seen: deployed.slice(0, 300),
    });
  }
  narrator.held(`every file is the one of ${short(head)}, and site/version.json names that commit`);
}

async function contentAt(gitDirectory: string, commit: string, path: string): Promise<string> {
  return (await git(gitDirectory, ['show', `${commit}:${path}`])).out.toString();
}
