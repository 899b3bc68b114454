import { UserError } from '../errors.ts';
import type { StartedAction } from './provider.ts';

type SecretStore = 'PARAMETER_STORE' | 'SECRETS_MANAGER';

/** A variable whose value is kept elsewhere, as a buildspec or a declaration writes it. */
export interface SecretVariable {
  readonly name: string;
  readonly value: string;
  readonly type: SecretStore;
}

/** What is asked of a store besides the secrets of the server. */
export interface SecretReference {
  readonly store: SecretStore;
  /** The name or ARN of a secret; of a parameter with its version or label, if one was written. */
  readonly id: string;
  readonly versionStage?: string;
  readonly versionId?: string;
}

/** undefined: this repository may not read it. Throws UserError when it may and there is nothing to be read. */
export type SecretSource = (
  reference: SecretReference,
  repository: StartedAction<unknown>['repository'],
) => Promise<string | undefined>;

type Asking = Pick<StartedAction<unknown>, 'secrets' | 'trust' | 'repository'>;

/**
 * The value of a variable, from the secrets of the server or else from the source. Throws UserError.
 * A fork gets none, whatever its files ask for.
 */
export async function secretValue(
  { name, value, type }: SecretVariable,
  action: Asking,
  source: SecretSource | undefined,
): Promise<string> {
  const { key, ...reference } = type === 'SECRETS_MANAGER' ? readReference(value) : parameter(value);
  const found = action.trust === 'fork' ? undefined : await find(reference, action, source);
  if (found === undefined) throw new UserError(refusal(name, reference));
  return key === undefined ? found : keyOf(found, reference.id, key);
}

async function find(reference: SecretReference, action: Asking, source: SecretSource | undefined) {
  const { id } = reference;
  if (Object.hasOwn(action.secrets, id)) return action.secrets[id];
  return source?.(reference, action.repository);
}

function refusal(variable: string, { store, id }: SecretReference): string {
  const [what, list] = store === 'SECRETS_MANAGER' ? ['secret', 'secrets'] : ['parameter', 'parameters'];
  return (
    `The environment variable ${variable} asks for the ${what} ${id}, which this build may not see. ` +
    `Name it for this repository in penstock.server.yml, under secrets: or, when it is kept in AWS, under ${list}: of awsSecrets:. ` +
    'Pull requests from forks never get secrets.'
  );
}

interface ReadReference extends SecretReference {
  readonly key?: string;
}

function parameter(id: string): ReadReference {
  return { store: 'PARAMETER_STORE', id };
}

/** `secret-id[:json-key[:version-stage[:version-id]]]`, where the id may be an ARN with colons of its own. */
function readReference(text: string): ReadReference {
  const parts = text.split(':');
  const idParts = text.startsWith('arn:') ? 7 : 1;
  const [key = '', versionStage = '', versionId = ''] = parts.slice(idParts);
  return {
    store: 'SECRETS_MANAGER',
    id: parts.slice(0, idParts).join(':'),
    ...(key === '' ? {} : { key }),
    ...(versionStage === '' ? {} : { versionStage }),
    ...(versionId === '' ? {} : { versionId }),
  };
}

function keyOf(secret: string, id: string, key: string): string {
  const read = fieldsOf(secret);
  if (read === undefined) {
    throw new UserError(`The secret ${id} is not JSON, so it has no "${key}". Remove :${key} from the reference.`);
  }
  const value = Object.hasOwn(read, key) ? read[key] : undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const words = value === undefined ? `has no "${key}"` : `has no text under "${key}"`;
  throw new UserError(`The secret ${id} ${words}. Check the reference, and the spelling of the key in the secret.`);
}

function fieldsOf(secret: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const read: unknown = JSON.parse(secret);
    return typeof read === 'object' && read !== null ? (read as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
