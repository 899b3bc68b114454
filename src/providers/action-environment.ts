import { refusedEnvironmentName } from '../buildspec/environment.ts';
import { UserError } from '../errors.ts';
import type { StartedAction } from './provider.ts';
import { secretValue, type SecretSource } from './secret-values.ts';

export interface Values {
  readonly variables: Readonly<Record<string, string>>;
  /** Values that were looked up and must be masked besides the action's own secrets. */
  readonly secrets: readonly string[];
}

export interface WrittenVariable {
  readonly name: string;
  readonly value: string;
  readonly type: 'PLAINTEXT' | 'PARAMETER_STORE' | 'SECRETS_MANAGER';
}

/** The values of declared variables; of several with one name the last counts. Throws UserError. */
export async function valuesOf(
  variables: readonly WrittenVariable[],
  action: StartedAction<unknown>,
  source: SecretSource | undefined,
): Promise<Values> {
  const values: Record<string, string> = {};
  const secrets: string[] = [];
  const masked = new Set(Object.values(action.secrets));
  for (const { type, ...variable } of new Map(variables.map((one) => [one.name, one])).values()) {
    const refusal = refusedEnvironmentName(variable.name);
    if (refusal !== undefined) throw new UserError(refusal);
    const value = type === 'PLAINTEXT' ? variable.value : await secretValue({ ...variable, type }, action, source);
    values[variable.name] = value;
    if (type !== 'PLAINTEXT' && value !== '' && !masked.has(value)) secrets.push(value);
  }
  return { variables: values, secrets };
}
