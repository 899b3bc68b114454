import type { StartPipelineExecutionInput } from '@aws-sdk/client-codepipeline';
import type { ActionDeclaration, PipelineDefinition } from '../pipeline/definition.ts';
import type { SourceRevision } from '../pipeline/execution.ts';
import { ApiError } from './api-error.ts';
import type { Checked } from './door.ts';

type Given = Checked<NonNullable<StartPipelineExecutionInput['sourceRevisions']>>;
type RevisionType = Given[number]['revisionType'];

/**
 * What a start names of its sources (CP-X-9): one revision for each action, except that a key and a version of S3 go
 * together. An override that could not be honoured is refused: running something else would be worse.
 */
export function sourceOverrides(definition: PipelineDefinition, given: Given): readonly SourceRevision[] {
  const sources = new Map(definition.stages[0]?.actions.map((action) => [action.name, action]));
  for (const { actionName, revisionType } of given) {
    const action = sources.get(actionName);
    if (!action) throw invalid(`The pipeline has no source action named '${actionName}'.`);
    checkFits(action, revisionType);
  }
  return [...Map.groupBy(given, ({ actionName }) => actionName)].map(([name, revisions]) =>
    revisionFrom(name, revisions),
  );
}

function revisionFrom(actionName: string, given: Given): SourceRevision {
  const valueOf = (type: RevisionType): string | undefined =>
    given.find(({ revisionType }) => revisionType === type)?.revisionValue;
  const [key, version] = [valueOf('S3_OBJECT_KEY'), valueOf('S3_OBJECT_VERSION_ID')];
  const isPair = given.length === 2 && key !== undefined && version !== undefined;
  if (isPair) return { actionName, revisionType: 'S3_OBJECT_VERSION_ID', revisionId: version, objectKey: key };
  const [only, ...more] = given;
  if (!only || more.length > 0) {
    throw invalid(`More than one revision is given for the source action '${actionName}'.`);
  }
  return { actionName, revisionType: only.revisionType, revisionId: only.revisionValue };
}

/** Custom sources have revisions of whatever kind. */
const typesOf: Readonly<Record<string, readonly RevisionType[]>> = {
  S3: ['S3_OBJECT_VERSION_ID', 'S3_OBJECT_KEY'],
  ECR: ['IMAGE_DIGEST'],
  CodeCommit: ['COMMIT_ID'],
  CodeStarSourceConnection: ['COMMIT_ID'],
};

function checkFits({ name, actionTypeId, configuration }: ActionDeclaration, type: RevisionType): void {
  const fitting = actionTypeId.owner === 'AWS' ? typesOf[actionTypeId.provider] : undefined;
  if (fitting && !fitting.includes(type)) {
    const words = `${fitting.join(' or ')}, not ${type}`;
    throw invalid(`The source action '${name}' (${actionTypeId.provider}) takes a revision of type ${words}.`);
  }
  if (type === 'S3_OBJECT_KEY' && configuration['AllowOverrideForS3ObjectKey']?.toLowerCase() !== 'true') {
    throw invalid(
      `The source action '${name}' does not let its key be overridden. Set AllowOverrideForS3ObjectKey to true in its configuration.`,
    );
  }
}

function invalid(message: string): ApiError {
  return new ApiError('ValidationException', message);
}
