import { phaseNames } from './buildspec.ts';

/** Every key of a buildspec (CP 9.1), by the place where it may stand; docs/buildspec.md tells what becomes of each. */
export const buildspecKeys = {
  top: ['version', 'run-as', 'env', 'proxy', 'batch', 'phases', 'reports', 'artifacts', 'cache'],
  env: ['shell', 'variables', 'parameter-store', 'secrets-manager', 'exported-variables', 'git-credential-helper'],
  proxy: ['upload-artifacts', 'logs'],
  phases: phaseNames,
  phase: ['run-as', 'on-failure', 'commands', 'finally'],
  install: ['runtime-versions'],
  reports: ['files', 'base-directory', 'discard-paths', 'file-format'],
  artifacts: [
    'files',
    'name',
    'base-directory',
    'discard-paths',
    'exclude-paths',
    'enable-symlinks',
    's3-prefix',
    'type',
  ],
  cache: ['paths', 'key', 'fallback-keys', 'action'],
} as const;
