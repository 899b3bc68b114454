import type { CliCommand } from './command.ts';

export const commands: readonly CliCommand[] = [
  {
    name: 'serve',
    usage: 'serve',
    summary: 'Run the GitHub App: webhooks, worker, engine and pages in one process',
    load: async () => (await import('./serve.ts')).runServe,
  },
  {
    name: 'demo',
    usage: 'demo [--keep] [--example folder]',
    summary: 'Show a whole pull request on this machine, with a stand-in for GitHub; needs no account',
    load: async () => (await import('./demo.ts')).runDemoCommand,
  },
  {
    name: 'run',
    usage:
      'run <declaration> [--source folder] [--var NAME=value]... [--secret NAME]... [--secret-file file] ' +
      '[--approve-all] [--json]',
    summary: 'Run a pipeline on a working tree in this terminal, without GitHub',
    load: async () => (await import('./run.ts')).runRun,
  },
  {
    name: 'validate',
    usage: 'validate [file or folder]... [--json]',
    summary: 'Check .github/penstock.yml, declarations and penstock.server.yml; prints line, column and mend',
    load: async () => (await import('./validate.ts')).runValidate,
  },
  {
    name: 'status',
    usage: 'status [--json]',
    summary: 'Show recent executions, and whether Penstock runs',
    load: async () => (await import('./status.ts')).runStatus,
  },
  {
    name: 'logs',
    usage: 'logs <execution> [action] [-f]',
    summary: 'Print the logs of an execution, or of one of its actions; -f follows',
    load: async () => (await import('./logs.ts')).runLogs,
  },
  {
    name: 'link',
    usage: 'link <execution>',
    summary: 'Print a fresh link to the page of an execution',
    load: async () => (await import('./link.ts')).runLink,
  },
  {
    name: 'audit',
    usage: 'audit [--execution id] [--pull owner/name#12] [--limit n] [--verify] [--json]',
    summary: 'Print who decided what, bound to what, and why',
    load: async () => (await import('./audit.ts')).runAudit,
  },
  {
    name: 'migrate',
    usage: 'migrate',
    summary: 'Bring the database to the newest schema (serve does this by itself)',
    load: async () => (await import('./migrate.ts')).runMigrate,
  },
  {
    name: 'doctor',
    usage: 'doctor [--json]',
    summary: 'Look at Node, git, isolation, configuration and database, and say what to mend',
    load: async () => (await import('./doctor.ts')).runDoctor,
  },
  {
    name: 'api',
    usage: 'api --port number [--host address] [--anonymous]',
    summary: 'Serve the CodePipeline API, for the AWS CLI, SDKs and job workers; needs no GitHub App',
    load: async () => (await import('./api.ts')).runApi,
  },
  {
    name: 'api-key',
    usage:
      'api-key create [--repository owner/name] [--admin] [--read-only] [--may-approve], list, revoke <access key id>',
    summary: 'Make, list and revoke access keys of the CodePipeline API',
    load: async () => (await import('./api-key.ts')).runApiKey,
  },
  {
    name: 'iam-policy',
    usage:
      'iam-policy [--declaration file]... [--with verbs] [--principal arn] [--stack-parameters pipeline] [--events-key]',
    summary: 'Print what the AWS roles of the bindings in penstock.server.yml need, and who may take them',
    load: async () => (await import('./iam-policy.ts')).runIamPolicy,
  },
];
