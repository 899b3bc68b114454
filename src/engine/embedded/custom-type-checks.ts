import type { ArtifactDetails, CustomActionType } from '../../db/custom-action-types.ts';
import { missingConfiguration, unknownConfiguration, wrongCount } from '../../pipeline/action-types.ts';
import type { ActionDeclaration } from '../../pipeline/definition.ts';

const categories: ReadonlySet<string> = new Set(['Source', 'Build', 'Deploy', 'Test', 'Invoke']);
const name = /^[0-9A-Za-z_-]+$/;
const longestTemplate = 2048;

/** The first thing that is wrong with a registration, in words; undefined when it can be taken (CP-J-1 to J-3). */
export function customTypeProblem(type: CustomActionType): string | undefined {
  if (!categories.has(type.category)) return `The category '${type.category}' cannot be used for a custom action.`;
  if (!name.test(type.provider) || type.provider.length > 35) {
    return 'The provider has 1 to 35 characters of A-Z, a-z, 0-9, _ and -.';
  }
  if (!name.test(type.version) || type.version.length > 9) {
    return 'The version has 1 to 9 characters of A-Z, a-z, 0-9, _ and -.';
  }
  return (
    propertyProblem(type) ??
    countProblem('inputArtifactDetails', type.inputArtifactDetails) ??
    countProblem('outputArtifactDetails', type.outputArtifactDetails) ??
    templateProblem(type)
  );
}

function propertyProblem({ configurationProperties: properties }: CustomActionType): string | undefined {
  if (properties.length > 10) return `${properties.length} configuration properties are given; at most 10 can be.`;
  const names = properties.map((property) => property.name);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined) return `The configuration property '${twice}' is given twice.`;
  const nameless = names.find((one) => one.length < 1 || one.length > 50);
  if (nameless !== undefined) return 'The name of a configuration property has 1 to 50 characters.';
  const queryable = properties.filter((property) => property.queryable);
  if (queryable.length > 1) return 'At most one configuration property can be queryable.';
  const [asked] = queryable;
  if (asked && (!asked.required || asked.secret)) {
    return `The queryable property '${asked.name}' has to be required and not secret.`;
  }
  return undefined;
}

function countProblem(key: string, { minimumCount, maximumCount }: ArtifactDetails): string | undefined {
  const isCount = (count: number): boolean => Number.isInteger(count) && count >= 0 && count <= 5;
  if (!isCount(minimumCount) || !isCount(maximumCount)) return `The counts of ${key} are whole numbers from 0 to 5.`;
  return minimumCount > maximumCount ? `The minimumCount of ${key} is more than its maximumCount.` : undefined;
}

function templateProblem({ settings, configurationProperties }: CustomActionType): string | undefined {
  for (const [key, text] of Object.entries(settings ?? {})) {
    if (typeof text !== 'string') continue;
    if (text.length < 1 || text.length > longestTemplate)
      return `The setting ${key} has 1 to ${longestTemplate} characters.`;
    for (const [, wanted] of text.matchAll(/\{Config:([^}]*)\}/g)) {
      const property = configurationProperties.find((one) => one.name === wanted);
      if (!property?.required || property.secret) {
        return `The setting ${key} names '${wanted}', which is not a required configuration property that is no secret.`;
      }
    }
  }
  return undefined;
}

/** What is wrong with an action of this type, in the words of CodePipeline (CP-D-10, CP-D-11, CP-J-2). */
export function customActionProblem(type: CustomActionType, action: ActionDeclaration): string | undefined {
  const { configurationProperties: properties, inputArtifactDetails, outputArtifactDetails } = type;
  const { configuration } = action;
  const missing = properties.find((property) => property.required && !Object.hasOwn(configuration, property.name));
  const unknown = Object.keys(configuration).find((key) => !properties.some((property) => property.name === key));
  return (
    artifactProblem(action.name, 'input', action.inputArtifacts.length, inputArtifactDetails) ??
    artifactProblem(action.name, 'output', action.outputArtifacts.length, outputArtifactDetails) ??
    (missing && missingConfiguration(action.name, missing.name)) ??
    (unknown === undefined ? undefined : unknownConfiguration(action.name, unknown)) ??
    queryValueProblem(type, configuration)
  );
}

function artifactProblem(
  action: string,
  side: 'input' | 'output',
  count: number,
  { minimumCount, maximumCount }: ArtifactDetails,
): string | undefined {
  if (count < minimumCount) return wrongCount(action, side, count, ['less', 'minimum', minimumCount]);
  if (count > maximumCount) return wrongCount(action, side, count, ['more', 'maximum', maximumCount]);
  return undefined;
}

/** One that takes a variable is known only when the action starts. */
function queryValueProblem(
  { configurationProperties }: CustomActionType,
  configuration: Readonly<Record<string, string>>,
): string | undefined {
  const asked = configurationProperties.find((property) => property.queryable)?.name;
  const value = asked === undefined ? undefined : configuration[asked];
  if (value === undefined || value.includes('#{') || queryValue.test(value)) return undefined;
  return `The value of the queryable property '${asked}' has 1 to 20 characters of A-Z, a-z, 0-9, _ and -.`;
}

/** What a poll may ask for. */
export const queryValue = /^[A-Za-z0-9_-]{1,20}$/;

/** Fills `{Config:name}` and `{ExternalExecutionId}` in; undefined when a part is not known (yet). */
export function fillTemplate(
  template: string | undefined,
  configuration: Readonly<Record<string, string>>,
  externalExecutionId: string | undefined,
): string | undefined {
  let isWhole = template !== undefined;
  const filled = template?.replaceAll(/\{(?:Config:([^}]*)|ExternalExecutionId)\}/g, (_, key?: string) => {
    const value = key === undefined ? externalExecutionId : configuration[key];
    isWhole &&= value !== undefined;
    return encodeURIComponent(value ?? '');
  });
  return isWhole ? filled : undefined;
}
