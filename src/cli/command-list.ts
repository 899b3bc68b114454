import type { CliCommand } from './command.ts';

const json = ['--json', 'for programs'] as const;
const execution = ['<execution>', 'its id, or the first four or more characters of a recent one'] as const;

export const commands: readonly CliCommand[] = [
  {
    name: 'serve',
    usage: ['serve'],
    summary: 'Run the GitHub App: webhooks, worker, engine and pages in one process',
    page: 'docs/operations.md; its settings are in docs/configuration.md',
    load: async () => (await import('./serve.ts')).runServe,
  },
  {
    name: 'demo',
    usage: ['demo [--keep] [--example folder]'],
    summary: 'Show a whole pull request on this machine, with a stand-in for GitHub; needs no account',
    options: [
      ['--keep', 'keep its files, and say at the end how to look at them'],
      ['--example folder', 'a changed copy of examples/web; the demo fails where it does not do what is shown'],
    ],
    load: async () => (await import('./demo.ts')).runDemoCommand,
  },
  {
    name: 'run',
    usage: ['run <declaration> [options]'],
    summary: 'Run a pipeline on a working tree in this terminal, without GitHub',
    options: [
      ['<declaration>', 'of CodePipeline, JSON or YAML'],
      ['--source folder', 'what every source action gives; the working directory when absent'],
      ['--var NAME=value', 'a pipeline variable; may be given several times'],
      ['--secret NAME', 'builds may ask for it; its value is that of the environment variable. Also name=VARIABLE'],
      ['--secret-file file', 'secrets as lines NAME=value'],
      ['--approve-all', 'answer every approval with yes'],
      ['--json', 'one event a line, for programs'],
    ],
    page: 'docs/run.md',
    load: async () => (await import('./run.ts')).runRun,
  },
  {
    name: 'validate',
    usage: ['validate [file or folder]... [--json]'],
    summary: 'Check .github/penstock.yml, declarations and penstock.server.yml; prints line, column and mend',
    options: [['file or folder', 'folders are read as repositories; the working directory when absent'], json],
    page: 'docs/configuration.md',
    load: async () => (await import('./validate.ts')).runValidate,
  },
  {
    name: 'status',
    usage: ['status [--json]'],
    summary: 'Show recent executions, and whether Penstock runs',
    options: [json],
    load: async () => (await import('./status.ts')).runStatus,
  },
  {
    name: 'logs',
    usage: ['logs <execution> [action] [-f]'],
    summary: 'Print the logs of an execution, or of one of its actions; -f follows',
    options: [
      execution,
      ['action', 'Action, or Stage/Action; all of them when absent'],
      ['-f, --follow', 'go on until the execution has ended'],
    ],
    load: async () => (await import('./logs.ts')).runLogs,
  },
  {
    name: 'link',
    usage: ['link <execution>'],
    summary: 'Print a fresh link to the page of an execution',
    options: [execution],
    load: async () => (await import('./link.ts')).runLink,
  },
  {
    name: 'audit',
    usage: ['audit [--execution id] [--pull owner/name#12] [--limit n] [--json]', 'audit --verify [--json]'],
    summary: 'Print who decided what, bound to what, and why',
    options: [
      ['--execution id', 'of this execution; the beginning of its id is enough'],
      ['--pull owner/name#12', 'of this pull request'],
      ['--limit n', 'the newest n, 200 when absent, at most 10000'],
      ['--verify', 'whether anything was changed or taken out after it was written'],
      json,
    ],
    page: 'docs/security.md',
    load: async () => (await import('./audit.ts')).runAudit,
  },
  {
    name: 'jobs',
    usage: ['jobs [--json]', 'jobs revive <id>'],
    summary: 'Show the jobs that were given up after all their attempts, and let one run again',
    options: [['<id>', 'the number that penstock jobs shows first'], json],
    page: 'docs/operations.md',
    load: async () => (await import('./jobs.ts')).runJobs,
  },
  {
    name: 'migrate',
    usage: ['migrate'],
    summary: 'Bring the database to the newest schema (serve does this by itself)',
    page: 'docs/operations.md',
    load: async () => (await import('./migrate.ts')).runMigrate,
  },
  {
    name: 'doctor',
    usage: ['doctor [--json]'],
    summary: 'Look at Node, git, isolation, configuration and database, and say what to mend',
    options: [json],
    load: async () => (await import('./doctor.ts')).runDoctor,
  },
  {
    name: 'api',
    usage: ['api --port number [--host address] [--anonymous]'],
    summary: 'Serve the CodePipeline API, for the AWS CLI, SDKs and job workers; needs no GitHub App',
    options: [
      ['--port number', 'where it listens; 0 takes any free one'],
      ['--host address', '127.0.0.1 when absent'],
      ['--anonymous', 'without access keys; on a loopback address only'],
    ],
    page: 'docs/api.md',
    load: async () => (await import('./api.ts')).runApi,
  },
  {
    name: 'api-key',
    usage: [
      'api-key create --repository owner/name [--read-only] [--may-approve]',
      'api-key create --admin [--read-only]',
      'api-key list',
      'api-key revoke <access key id>',
    ],
    summary: 'Make, list and revoke access keys of the CodePipeline API',
    options: [
      ['--repository owner/name', 'sees the pipelines of this repository only'],
      ['--admin', 'sees everything'],
      ['--read-only', 'changes nothing'],
      ['--may-approve', 'may answer manual approvals with PutApprovalResult'],
    ],
    page: 'docs/api.md',
    load: async () => (await import('./api-key.ts')).runApiKey,
  },
  {
    name: 'iam-policy',
    usage: [
      'iam-policy [--declaration file]... [--with verbs] [--principal arn] [--stack-parameters pipeline]',
      'iam-policy --events-key',
    ],
    summary: 'Print what the AWS roles of the bindings in penstock.server.yml need, and who may take them',
    options: [
      ['--declaration file', 'as `aws codepipeline get-pipeline` prints it: rights for its actions only'],
      [
        '--with verbs',
        'rights beyond looking and starting, by comma: stop (when absent), rollback, hold, override, nested-stacks',
      ],
      ['--principal arn', "Penstock's own role, which may take the others"],
      ['--stack-parameters pipeline', 'instead: the parameters of the CloudFormation stack in deploy/'],
      ['--events-key', 'instead: the key with which EventBridge tells events over HTTPS'],
    ],
    page: 'docs/aws.md',
    load: async () => (await import('./iam-policy.ts')).runIamPolicy,
  },
];
