import { covers } from './server.ts';
import type { AwsSecretsRule } from './server-types.ts';

export type AwsStore = 'PARAMETER_STORE' | 'SECRETS_MANAGER';

/**
 * The region in which builds of a repository may read that name; null when the operator allows it nowhere. Names are
 * compared as they are written: an ARN needs a rule that names ARNs, because a name alone says nothing of the account.
 */
export function regionToRead(
  rules: readonly AwsSecretsRule[],
  repository: { readonly owner: string; readonly name: string },
  store: AwsStore,
  id: string,
): string | null {
  const found = rules.find(
    ({ repositories, parameters, secrets }) =>
      repositories.some((pattern) => covers(pattern, repository.owner, repository.name)) &&
      (store === 'PARAMETER_STORE' ? parameters : secrets).some((pattern) => fits(pattern, id)),
  );
  return found?.region ?? null;
}

function fits(pattern: string, id: string): boolean {
  if (!pattern.endsWith('*')) return pattern === id;
  const beginning = pattern.slice(0, -1);
  return id.startsWith(beginning) && id.startsWith('arn:') === beginning.startsWith('arn:');
}
