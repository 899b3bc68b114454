import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { Send } from '../codepipeline-api/call-scenario.ts';
import { callWorld } from '../codepipeline-api/call-world.ts';
import type { DoorBench } from '../codepipeline-api/door-bench.ts';
import { playCalls } from '../codepipeline-api/play-calls.ts';

// The scenario of the wire once more, by the AWS CLI: what it reads is what the SDK reads.

const exec = promisify(execFile);
const missing = spawnSync('aws', ['codepipeline', 'rollback-stage', 'help'], { encoding: 'utf8' }).status !== 0;
if (missing) console.log('skipped: no aws program that knows rollback-stage is on the PATH (install awscli)');

function cliSend({ url, admin }: DoorBench): Send {
  const env = {
    PATH: process.env['PATH'] ?? '',
    AWS_ACCESS_KEY_ID: admin.accessKeyId,
    AWS_SECRET_ACCESS_KEY: admin.secretAccessKey,
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_PAGER: '',
  };
  return async (operation, input) => {
    const verb = operation.replaceAll(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
    const options = ['--endpoint-url', url, '--output', 'json', '--no-paginate'];
    const args = [...options, 'codepipeline', verb, '--cli-input-json', JSON.stringify(input)];
    try {
      const { stdout } = await exec('aws', args, { env });
      return stdout.trim() === '' ? {} : JSON.parse(stdout);
    } catch (error) {
      const told = /An error occurred \((\w+)\) when calling the \w+ operation: (.*)/s.exec(String(error));
      if (!told) throw error;
      throw new Error(`${told[1]}: ${told[2]?.trim()}`, { cause: error });
    }
  };
}

if (missing) (await import('vitest')).test.skip('the AWS CLI is not here', () => {});
else playCalls(await callWorld(cliSend), (file) => file === 'wire.txt');
