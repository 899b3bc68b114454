import type { SecretsManager } from '@aws-sdk/client-secrets-manager';
import type { SSM } from '@aws-sdk/client-ssm';
import { UserError } from '../errors.ts';
import type { SecretReference } from './secret-values.ts';

/** Reads one secret or parameter as Penstock's own identity. Throws UserError with what to do. */
export type AwsSecretReader = (region: string, reference: SecretReference) => Promise<string>;

/** A slow answer must not hold a build for long. */
const patience = { connectionTimeout: 5_000, requestTimeout: 15_000 };

/** The SDK is loaded by the first read: most servers have no such secrets. `endpoint` is for tests. */
export function createAwsSecretReader(options: { readonly endpoint?: string } = {}): AwsSecretReader {
  const settings = (region: string) => ({ region, requestHandler: patience, maxAttempts: 3, ...options });
  const ssm = eachOnce(async (region) => new (await import('@aws-sdk/client-ssm')).SSM(settings(region)));
  const manager = eachOnce(
    async (region) => new (await import('@aws-sdk/client-secrets-manager')).SecretsManager(settings(region)),
  );
  return async (region, reference) => {
    try {
      return reference.store === 'PARAMETER_STORE'
        ? await readParameter(await ssm(region), reference)
        : await readSecret(await manager(region), reference);
    } catch (error) {
      throw inWords(error, region, reference);
    }
  };
}

function eachOnce<T>(open: (region: string) => Promise<T>): (region: string) => Promise<T> {
  const opened = new Map<string, Promise<T>>();
  return (region) => {
    const client = opened.get(region) ?? open(region);
    opened.set(region, client);
    return client;
  };
}

async function readParameter(ssm: SSM, { id }: SecretReference): Promise<string> {
  const { Parameter } = await ssm.getParameter({ Name: id, WithDecryption: true });
  if (Parameter?.Value !== undefined) return Parameter.Value;
  throw new UserError(`The parameter ${id} has no value. Write one into Parameter Store.`);
}

async function readSecret(manager: SecretsManager, reference: SecretReference): Promise<string> {
  const { id, versionStage, versionId } = reference;
  const { SecretString } = await manager.getSecretValue({
    SecretId: id,
    ...(versionStage === undefined ? {} : { VersionStage: versionStage }),
    ...(versionId === undefined ? {} : { VersionId: versionId }),
  });
  if (SecretString !== undefined) return SecretString;
  throw new UserError(`The secret ${id} is binary, and only text can become a variable. Store it as text.`);
}

const absent = new Set(['ResourceNotFoundException', 'ParameterNotFound', 'ParameterVersionNotFound']);
const denied = new Set(['AccessDeniedException', 'UnrecognizedClientException', 'InvalidClientTokenId']);
const undecrypted = new Set(['DecryptionFailure', 'InvalidKeyId']);
const withoutIdentity = new Set(['CredentialsProviderError', 'ExpiredTokenException', 'ExpiredToken']);

function inWords(error: unknown, region: string, { store, id, versionStage, versionId }: SecretReference): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const [kind, action] =
    store === 'PARAMETER_STORE' ? ['parameter', 'ssm:GetParameter'] : ['secret', 'secretsmanager:GetSecretValue'];
  const version = [versionStage, versionId].filter((part) => part !== undefined).join(', ');
  const what = `The ${kind} ${id}${version === '' ? '' : ` (${version})`}`;
  const says = `AWS says: ${error.message.slice(0, 300)}`;
  const told = (text: string): UserError => new UserError(text, { cause: error });
  if (absent.has(error.name))
    return told(
      `${what} does not exist in ${region}. Check its name, and the region of awsSecrets: in penstock.server.yml.`,
    );
  if (denied.has(error.name))
    return told(
      `AWS does not let Penstock read ${what.replace('The', 'the')}. Give its identity ${action} on it, and kms:Decrypt where it has a key of its own. ${says}`,
    );
  if (undecrypted.has(error.name))
    return told(`${what} cannot be decrypted. Give Penstock's identity kms:Decrypt on its key. ${says}`);
  if (withoutIdentity.has(error.name))
    return told(
      `Penstock has no AWS identity to read ${what.replace('The', 'the')} with. Give the server a role or keys. ${says}`,
    );
  return told(`${what} could not be read in ${region} (${error.name}). Retry the stage. ${says}`);
}
