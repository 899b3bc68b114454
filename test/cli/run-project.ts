import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const cli = join(import.meta.dirname, '../../src/cli.ts');

export const canary = 'Canary-7f31-zq9-do-not-print';

/** A folder with a tree of one file, for `penstock run`. */
export interface RunProject {
  readonly folder: string;
  readonly env: Record<string, string>;
  /** Writes a declaration whose second stage has these actions; `more` are further keys of the pipeline. */
  readonly declare: (file: string, actions: string, more?: string) => string;
  /** A whole run as a process of its own. */
  readonly run: (args: readonly string[]) => Promise<{ code: number; out: string; err: string }>;
}

export function runProject(): RunProject {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-run-'));
  const env = { PATH: process.env['PATH'] ?? '', PENSTOCK_HOME: join(folder, 'home'), API_KEY: canary };
  mkdirSync(join(folder, 'tree'));
  writeFileSync(join(folder, 'tree/word.txt'), 'heron\n');
  return {
    folder,
    env,
    declare: (file, actions, more = '') => {
      writeFileSync(join(folder, file), declaration(actions, more));
      return file;
    },
    run: (args) =>
      new Promise((resolve) => {
        const argv = [cli, 'run', ...args, '--source', 'tree'];
        execFile(process.execPath, argv, { cwd: folder, env }, (error, out, err) =>
          resolve({ code: error === null ? 0 : Number(error.code), out, err }),
        );
      }),
  };
}

const source = `
  - name: Source
    actions:
      - name: Checkout
        actionTypeId: { category: Source, owner: AWS, provider: CodeStarSourceConnection, version: '1' }
        configuration:
          ConnectionArn: arn:aws:codeconnections:eu-west-1:111122223333:connection/6f1c8a52-7a0e-4a3e-9d0f-1c2b3a4d5e6f
          FullRepositoryId: acme/words
          BranchName: main
        outputArtifacts: [{ name: Tree }]`;

function declaration(actions: string, more: string): string {
  return `name: words
pipelineType: V2
roleArn: arn:aws:iam::111122223333:role/service-role/AWSCodePipelineServiceRole-words
artifactStore: { type: S3, location: codepipeline-words }
${more}stages:${source}
  - name: Work
    actions:${actions}
`;
}

/** An action of the second stage. */
export function commands(name: string, lines: readonly string[], more = ''): string {
  return `
      - name: ${name}
        runOrder: 1
        actionTypeId: { category: Compute, owner: AWS, provider: Commands, version: '1' }
        commands: ${JSON.stringify(lines)}
        inputArtifacts: [{ name: Tree }]${more}`;
}
