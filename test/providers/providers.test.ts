import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBackground } from '../../src/providers/background.ts';
import { openArtifactStore } from '../../src/providers/artifact-store.ts';
import { codeStarSourceConnection } from '../../src/providers/code-star-source-connection.ts';
import { commands } from '../../src/providers/commands.ts';
import { manualApproval } from '../../src/providers/manual-approval.ts';
import { s3Deploy } from '../../src/providers/s3-deploy.ts';
import { s3Source } from '../../src/providers/s3-source.ts';
import { temporaryDirectory, rung } from '../buildspec/rungs.ts';
import { anAction, artifact, type TestAction } from './action.ts';
import { describeProviderContract } from './contract.ts';
import { serveRepository } from './git-server.ts';
import { zipOf } from './zip-of.ts';

const root = await temporaryDirectory();
const isolation = (await rung('unshare')) ?? (await rung('process'))!;

function timesLogged(action: TestAction<unknown>, line: RegExp): number {
  return readFileSync(action.logFile, 'utf8').match(line)?.length ?? 0;
}

async function describeSource(home: string): Promise<void> {
  const artifacts = openArtifactStore(home);
  const served = await serveRepository(join(root, 'repository'), 'token-1');
  const sha = served.commit({ 'README.md': 'hello\n' }, 'First');
  const provider = () =>
    codeStarSourceConnection({
      home,
      path: isolation.path,
      gitEnvironment: {},
      fetchAccess: () => Promise.resolve({ url: served.url, token: 'token-1' }),
      artifacts,
      background: createBackground(home, 2),
    });
  const of = (revisionId: string) =>
    anAction(home, provider(), {
      configuration: { ConnectionArn: 'arn:aws:x', FullRepositoryId: 'acme/web', BranchName: 'main' },
      sourceRevision: { actionName: 'Source', revisionId },
      outputs: [artifact('Source')],
    });
  describeProviderContract('CodeStarSourceConnection', {
    home,
    provider,
    succeeding: () => Promise.resolve(of(sha)),
    failing: () => Promise.resolve(of('b'.repeat(40))),
    timesDone: (action) => timesLogged(action, /^Stored /gm),
    repeats: true,
    ends: 'succeeded',
  });
}

function describeCommands(home: string): void {
  const artifacts = openArtifactStore(home);
  const provider = () =>
    commands({ home, isolation, network: 'host', artifacts, background: createBackground(home, 2) });
  const of = async (command: string) => {
    const input = artifact('Source');
    await artifacts.put(input.location, await zipOf({ 'a.txt': 'a' }));
    return anAction(home, provider(), { inputs: [input], declaration: { commands: [command] } });
  };
  describeProviderContract('Commands', {
    home,
    provider,
    succeeding: () => of('echo "did the work"'),
    failing: () => of('exit 3'),
    timesDone: (action) => timesLogged(action, /^did the work$/gm),
    ends: 'succeeded',
  });
}

async function describeObjects(home: string): Promise<void> {
  const artifacts = openArtifactStore(home);
  const input = artifact('Site');
  await artifacts.put(input.location, await zipOf({ 'index.html': 'hello' }));
  const deploy = () => s3Deploy({ home, artifacts, background: createBackground(home, 2) });
  const configuration = { BucketName: 'site', Extract: 'true' };
  describeProviderContract('S3 deploy', {
    home,
    provider: deploy,
    succeeding: () => Promise.resolve(anAction(home, deploy(), { configuration, inputs: [input] })),
    failing: () => Promise.resolve(anAction(home, deploy(), { configuration, inputs: [artifact('Never')] })),
    timesDone: (action) => timesLogged(action, /^Put s3:.*index\.html$/gm),
    repeats: true,
    ends: 'succeeded',
  });
  const source = () => s3Source(artifacts, createBackground(home, 2));
  await artifacts.put({ bucket: 'drop', key: 'in.zip' }, Buffer.from('zip'));
  const from = (S3ObjectKey: string) =>
    anAction(home, source(), { configuration: { S3Bucket: 'drop', S3ObjectKey }, outputs: [artifact('Source')] });
  describeProviderContract('S3 source', {
    home,
    provider: source,
    succeeding: () => Promise.resolve(from('in.zip')),
    failing: () => Promise.resolve(from('other.zip')),
    timesDone: (action) => timesLogged(action, /^Copied /gm),
    repeats: true,
    ends: 'succeeded',
  });
}

await describeSource(join(root, 'source'));
describeCommands(join(root, 'commands'));
await describeObjects(join(root, 's3'));
describeProviderContract('Manual', {
  home: join(root, 'manual'),
  provider: manualApproval,
  succeeding: () => Promise.resolve(anAction(join(root, 'manual'), manualApproval())),
  timesDone: () => 1,
  ends: 'waiting',
});
