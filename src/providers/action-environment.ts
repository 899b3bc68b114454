import { refusedEnvironmentName } from '../buildspec/environment.ts';
import { UserError } from '../errors.ts';
import type { EnvironmentVariable } from '../pipeline/definition.ts';

/** The values of declared variables; a SECRETS_MANAGER variable names a secret that the server lets this action see. */
export function declaredEnvironment(
  variables: readonly EnvironmentVariable[],
  secrets: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(variables.map((variable) => [checkedName(variable.name), valueOf(variable, secrets)]));
}

function checkedName(name: string): string {
  const refusal = refusedEnvironmentName(name);
  if (refusal !== undefined) throw new UserError(refusal);
  return name;
}

function valueOf(variable: EnvironmentVariable, secrets: Readonly<Record<string, string>>): string {
  if (variable.type === 'PLAINTEXT') return variable.value;
  const secret = secrets[variable.value];
  if (secret !== undefined) return secret;
  throw new UserError(
    `The environment variable ${variable.name} asks for the secret ${variable.value}, which this action may not see. ` +
      'Name it under secrets: in penstock.server.yml for this repository. Pull requests from forks never get secrets.',
  );
}
