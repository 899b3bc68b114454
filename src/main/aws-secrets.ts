import { regionToRead } from '../config/aws-secrets.ts';
import type { ServerConfig } from '../config/server-types.ts';
import { UserError } from '../errors.ts';
import type { AwsSecretReader } from '../providers/aws-secrets.ts';
import type { SecretReference, SecretSource } from '../providers/secret-values.ts';

/** Reads in AWS what `awsSecrets:` allows, and nothing else: every other name is not even asked for. */
export function awsSecretSource(rules: ServerConfig['awsSecrets'], read: AwsSecretReader): SecretSource {
  return async (reference, repository) => {
    const region = regionToRead(rules, repository, reference.store, nameOf(reference));
    return region === null ? undefined : read(region, reference);
  };
}

/** Parameter Store also hands out secrets of Secrets Manager, by which a rule for parameters would open both. */
const passage = /^(?:arn:[^/]*:parameter)?\/?aws\/reference\/secretsmanager(?:\/|$)/i;

/** A parameter without the version or label that may follow its name. */
function nameOf({ store, id }: SecretReference): string {
  if (store === 'SECRETS_MANAGER') return id;
  if (passage.test(id)) {
    throw new UserError(
      `The parameter ${id} stands for a secret of Secrets Manager. Ask for it under secrets-manager: (type SECRETS_MANAGER).`,
    );
  }
  return id.split(':', id.startsWith('arn:') ? 6 : 1).join(':');
}
