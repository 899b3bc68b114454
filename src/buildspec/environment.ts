import type { SandboxCommand } from './isolation.ts';

/** In the environment of every command; how the processes of one command are found again. */
export const markerVariable = 'PENSTOCK_COMMAND';

/**
 * Names that a pipeline, a project or a buildspec may not set (SEC-C-09): they change how shells, loaders and tools
 * work before the first command runs. A command may still set them for itself.
 */
const refused = [
  /^LD_/,
  /^DYLD_/,
  /^GIT_/,
  // Which region and account is no secret and no way in; buildspecs set them all the time.
  /^AWS_(?!(?:(?:DEFAULT_)?REGION|ACCOUNT_ID)$)/,
  /^PENSTOCK_/,
  /^BASH_FUNC_/,
  /^(BASH_ENV|ENV|SHELLOPTS|BASHOPTS|IFS|CDPATH|PS4|PROMPT_COMMAND)$/,
  /^(PATH|HOME|SHELL|USER|LOGNAME|TMPDIR)$/,
  /^(NODE_OPTIONS|NODE_PATH|PYTHONPATH|PYTHONSTARTUP|PYTHONHOME|PERL5LIB|PERL5OPT|RUBYOPT|RUBYLIB|JAVA_TOOL_OPTIONS)$/,
];

/** Says why a name may not be set from a file, or undefined when it may. */
export function refusedEnvironmentName(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return `"${name.slice(0, 64)}" is not a name of an environment variable: use letters, digits and underscores.`;
  }
  if (!refused.some((pattern) => pattern.test(name))) return undefined;
  return `The environment variable ${name} cannot be set here. Set it inside a command instead, for example: export ${name}=...`;
}

/** The allow-list: nothing of the environment of this process is passed on. */
export function baseEnvironment(command: SandboxCommand, path: string, temporary: string): Record<string, string> {
  return {
    PATH: path,
    HOME: command.home,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    CI: 'true',
    USER: 'build',
    LOGNAME: 'build',
    SHELL: '/bin/sh',
    ...command.env,
  };
}
