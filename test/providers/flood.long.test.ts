import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openActionLog } from '../../src/providers/action-log.ts';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { createProviders } from '../../src/providers/registry.ts';
import { availableRungs, temporaryDirectory } from '../buildspec/rungs.ts';
import { anAction, artifact, finish } from './action.ts';
import { zipOf } from './zip-of.ts';

const home = join(await temporaryDirectory(), 'home');
const artifacts = openArtifactStore(home);

it.each(await availableRungs())(
  'a build that floods its log on the rung $level (10 GB in bubblewrap) is cut with a notice, in bounded memory (SEC-C-14)',
  // Half a minute on two free cores. No more than a guard: the machine may be busy.
  { timeout: 900_000 },
  async (isolation) => {
    const provider = createProviders({
      home,
      isolation,
      artifacts,
      maxConcurrentActions: 1,
      fetchAccess: () => Promise.reject(new Error('nothing is fetched here')),
    }).get('Build/AWS/CodeBuild/1')!;
    const input = artifact('Source');
    const flood = `yes 'a line of a flood' | head -c ${isolation.level === 'bubblewrap' ? '10G' : '200M'}; echo "the end $TOKEN"`;
    const buildspec = `version: 0.2\nenv: {secrets-manager: {TOKEN: TOKEN}}\nphases: {build: {commands: [${JSON.stringify(flood)}]}}\n`;
    await artifacts.put(input.location, await zipOf({ 'buildspec.yml': buildspec }));
    const secrets = { TOKEN: 'never-to-be-seen' };
    const file = join(home, `${isolation.level}.log`);
    const log = openActionLog({ file, mask: Object.values(secrets) });
    const action = anAction(home, provider, { log, inputs: [input], configuration: { ProjectName: 'flood' }, secrets });
    const before = process.memoryUsage().rss;
    let most = before;
    const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 50);
    expect((await finish(provider, action)).kind).toBe('succeeded');
    clearInterval(watching);
    log.close();
    expect(most - before).toBeLessThan(300 * 1024 ** 2);
    expect(statSync(file).size).toBeLessThan(66 * 1024 ** 2);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('[penstock] The log is cut here: it reached 64 MiB.');
    expect(text.slice(-3_000)).toContain('the end ***');
    expect(text).not.toContain(secrets.TOKEN);
  },
);
