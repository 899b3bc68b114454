import type {
  ActionType,
  CreateCustomActionTypeInput,
  CreateCustomActionTypeOutput,
  DeleteCustomActionTypeInput,
  GetActionTypeInput,
  GetActionTypeOutput,
  ListActionTypesInput,
  ListActionTypesOutput,
  ListRuleTypesInput,
  ListRuleTypesOutput,
  RuleType,
} from '@aws-sdk/client-codepipeline';
import type { CustomActionType } from '../db/custom-action-types.ts';
import {
  createCustomActionType as create,
  deleteCustomActionType as remove,
  listActionTypes as list,
  type ListedActionType,
} from '../engine/embedded/custom-action-types.ts';
import { ApiError } from './api-error.ts';
import type { Operation } from './door.ts';
import { pageOf } from './paging.ts';
import { adminOnly, settle } from './settle.ts';
import { tagList, withTags } from './tags.ts';

/** A custom type is there for all pipelines of the server, so it takes an admin key. */
export const createCustomActionType: Operation<CreateCustomActionTypeInput, CreateCustomActionTypeOutput> = async (
  call,
  { tags = [], configurationProperties = [], category, ...rest },
) => {
  adminOnly(call, 'CreateCustomActionType');
  if (category === 'Approval' || category === 'Compute') {
    throw new ApiError('ValidationException', `A custom action type cannot have the category ${category}.`);
  }
  const listed = tagList(withTags({}, tags)).map(({ key = '', value = '' }) => ({ key, value }));
  const type: CustomActionType = { ...rest, category, configurationProperties, tags: listed };
  const made = settle(await create(call.door.db, type));
  const { provider, version, settings, inputArtifactDetails, outputArtifactDetails } = made;
  return {
    actionType: {
      id: { category, owner: 'Custom', provider, version },
      ...(settings && { settings }),
      actionConfigurationProperties: [...made.configurationProperties],
      inputArtifactDetails,
      outputArtifactDetails,
    },
    tags: listed,
  };
};

export const deleteCustomActionType: Operation<DeleteCustomActionTypeInput, undefined> = async (call, input) => {
  adminOnly(call, 'DeleteCustomActionType');
  const { category, provider, version } = input;
  if (category === 'Approval' || category === 'Compute') return undefined;
  settle(await remove(call.door.db, { category, provider, version }));
  return undefined;
};

const pageSize = 100;

export const listActionTypes: Operation<ListActionTypesInput, ListActionTypesOutput> = async (call, input) => {
  const { actionOwnerFilter: owner, regionFilter, nextToken } = input;
  const types = await list(call.door.db, owner === undefined ? {} : { owner });
  const query = { operation: 'ListActionTypes', about: [owner ?? null, regionFilter ?? null] };
  const page = pageOf(call, query, { items: types, token: nextToken, size: pageSize });
  return { actionTypes: page.items.map(actionType), ...page.token };
};

function actionType(listed: ListedActionType): ActionType {
  const { id, settings, configurationProperties, inputArtifactDetails, outputArtifactDetails } = listed;
  return {
    id,
    ...(settings && { settings }),
    actionConfigurationProperties: [...configurationProperties],
    inputArtifactDetails,
    outputArtifactDetails,
  };
}

export const getActionType: Operation<GetActionTypeInput, GetActionTypeOutput> = async (call, wanted) => {
  const types = await list(call.door.db);
  const found = types.find(
    ({ id }) =>
      id.category === wanted.category &&
      id.owner === wanted.owner &&
      id.provider === wanted.provider &&
      id.version === wanted.version,
  );
  if (!found) {
    const { category, provider, owner, version } = wanted;
    const name = `ActionType (Category: '${category}', Provider: '${provider}', Owner: '${owner}', Version: '${version}')`;
    throw new ApiError('ActionTypeNotFoundException', `${name} could not be found.`);
  }
  return {
    actionType: {
      id: wanted,
      executor: { type: 'JobWorker', configuration: { jobWorkerExecutorConfiguration: {} } },
      inputArtifactDetails: found.inputArtifactDetails,
      outputArtifactDetails: found.outputArtifactDetails,
      properties: found.configurationProperties.map(({ name, required, key, secret }) => ({
        name,
        optional: !required,
        key,
        noEcho: secret,
      })),
    },
  };
};

/** CP 2.10: provider, keys that have to be given, keys that may be, most input artifacts. */
const rules: readonly (readonly [string, readonly string[], readonly string[], number])[] = [
  ['CloudWatchAlarm', ['AlarmName'], ['AlarmStates', 'WaitTime'], 0],
  ['CodeBuild', ['ProjectName'], ['PrimarySource', 'BatchEnabled', 'CombineArtifacts', 'EnvironmentVariables'], 5],
  ['Commands', [], [], 5],
  ['DeploymentWindow', ['Cron'], ['TimeZone'], 0],
  ['LambdaInvoke', ['FunctionName'], ['UserParameters'], 5],
  ['VariableCheck', ['Variable', 'Value', 'Operator'], [], 0],
];

export const listRuleTypes: Operation<ListRuleTypesInput, ListRuleTypesOutput> = async () => ({
  ruleTypes: rules.map(ruleType),
});

function ruleType([provider, required, optional, mostInputs]: (typeof rules)[number]): RuleType {
  const property = (isRequired: boolean) => (name: string) => ({
    name,
    required: isRequired,
    key: isRequired,
    secret: false,
  });
  return {
    id: { category: 'Rule', owner: 'AWS', provider, version: '1' },
    ruleConfigurationProperties: [...required.map(property(true)), ...optional.map(property(false))],
    inputArtifactDetails: { minimumCount: 0, maximumCount: mostInputs },
  };
}
