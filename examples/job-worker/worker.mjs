// A job worker for a custom action of CodePipeline: asks for jobs, claims each one, builds, and says how it went.
// It knows nothing of Penstock: AWS_ENDPOINT_URL alone decides whom it works for.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { S3 } from '@aws-sdk/client-s3';

const { BUILD_COMMAND, ACTION_PROVIDER = 'Builder', POLL_SECONDS = '5', AWS_ENDPOINT_URL } = process.env;
if (!BUILD_COMMAND) {
  console.error('BUILD_COMMAND is not set: a command that reads the file $INPUT and writes the file $OUTPUT.');
  process.exit(2);
}
const actionTypeId = { category: 'Build', owner: 'Custom', provider: ACTION_PROVIDER, version: '1' };
const pauseMs = Number(POLL_SECONDS) * 1000;
const codepipeline = new CodePipeline();

/** Builds that go on between two jobs of the same action, by their continuation token. */
const builds = new Map();
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());

console.log(`waiting for jobs of ${ACTION_PROVIDER}`);
while (!stopping.signal.aborted) {
  try {
    const { jobs = [] } = await codepipeline.pollForJobs({ actionTypeId, maxBatchSize: 1 });
    for (const job of jobs) await work(job);
  } catch (error) {
    console.error(`could not ask for jobs: ${error.message}`);
  }
  await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
}

async function work(job) {
  if (!(await claim(job))) return console.log(`${job.id}: another worker has it`);
  try {
    await build(job);
  } catch (error) {
    console.error(`${job.id}: ${error.message}`);
    const failureDetails = { type: 'JobFailed', message: error.message.slice(0, 5000) };
    await codepipeline.putJobFailureResult({ jobId: job.id, failureDetails });
  }
}

/** Two workers may be handed the same job: the nonce of the one who comes first counts. */
async function claim({ id, nonce }) {
  try {
    const { status } = await codepipeline.acknowledgeJob({ jobId: id, nonce });
    return status === 'InProgress';
  } catch (error) {
    if (error.name === 'InvalidNonceException') return false;
    throw error;
  }
}

async function build({ id, data }) {
  const token = data.continuationToken ?? (await begin(data));
  const running = builds.get(token);
  if (!running) throw new Error('The worker that began this build is gone. Retry the stage.');
  if (running.exit === undefined) {
    // The job ends here, and the same action comes back as a new one: nothing is held while the build takes its time.
    await codepipeline.putJobSuccessResult({ jobId: id, continuationToken: token });
    return console.log(`${id}: goes on as ${token}`);
  }
  builds.delete(token);
  if (running.exit !== 0) throw new Error(`The build ended with code ${running.exit}.`);
  await upload(data, join(running.folder, 'output'));
  await rm(running.folder, { recursive: true, force: true });
  const executionDetails = { externalExecutionId: token, summary: `Built by ${ACTION_PROVIDER}`, percentComplete: 100 };
  await codepipeline.putJobSuccessResult({ jobId: id, executionDetails, outputVariables: { BuildId: token } });
  console.log(`${id}: succeeded`);
}

/** Fetches the input and starts the command. Answers the token under which the build is found again. */
async function begin(data) {
  const folder = await mkdtemp(join(tmpdir(), 'job-worker-'));
  const files = { INPUT: join(folder, 'input'), OUTPUT: join(folder, 'output') };
  await download(data, files.INPUT);
  const token = randomUUID();
  const running = { folder, exit: undefined };
  builds.set(token, running);
  const { AWS_SECRET_ACCESS_KEY: _secret, AWS_SESSION_TOKEN: _session, ...env } = process.env;
  const child = spawn('sh', ['-c', BUILD_COMMAND], { cwd: folder, env: { ...env, ...files }, stdio: 'inherit' });
  child.once('error', () => (running.exit = -1)).once('exit', (code) => (running.exit = code ?? -1));
  return token;
}

async function download({ inputArtifacts = [], artifactCredentials }, file) {
  const [input] = inputArtifacts;
  if (!input) throw new Error('The action needs one input artifact.');
  const { Body } = await s3Of(artifactCredentials).getObject(placeOf(input));
  await pipeline(Body, createWriteStream(file));
}

async function upload({ outputArtifacts = [], artifactCredentials }, file) {
  for (const output of outputArtifacts) {
    await s3Of(artifactCredentials).putObject({ ...placeOf(output), Body: createReadStream(file) });
  }
}

/** The credentials that come with a job open its artifacts and nothing else. */
function s3Of(credentials) {
  return new S3({ credentials, forcePathStyle: AWS_ENDPOINT_URL !== undefined });
}

function placeOf({ location: { s3Location } }) {
  return { Bucket: s3Location.bucketName, Key: s3Location.objectKey };
}
