import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { declare } from './declare.ts';
import { approvalOf, mill, millType, webhookOf, type OperationsWorld, type Ran } from './operations-world.ts';

type Input = (world: OperationsWorld) => object;

export interface OperationRow {
  readonly input: Input;
  /** A part of the answer. */
  readonly answers?: object;
  /** What it is refused with, beyond what every operation has in common: the beginning of the error, and the input. */
  readonly refuses?: readonly (readonly [error: string, input: Input])[];
}

const codeBuild = { category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' } as const;
const nowhere = '11111111-2222-4333-8444-555555555555';
const stageOf = ({ name }: Ran, stageName: string) => ({ pipelineName: name, stageName });
const executionOf = ({ name, ids }: Ran, at = 0) => ({ pipelineName: name, pipelineExecutionId: ids.at(at) });
const manyTags = Array.from({ length: 51 }, (_, n) => ({ key: `k${n}`, value: '' }));
const reserved = [{ key: 'aws:x', value: '' }];
const twoUnits = () => {
  const pipeline = declare({ Build: { Unit: {} } });
  pipeline.stages![1]!.actions!.push(pipeline.stages![1]!.actions![0]!);
  return pipeline;
};
const noSuchType = () =>
  declare({ Build: { Unit: { actionTypeId: { ...mill, provider: 'Nobody' }, configuration: {} } } });
const retryOf = (ran: Ran, at = -1) => ({
  ...executionOf(ran, at),
  stageName: 'Build',
  retryMode: 'FAILED_ACTIONS' as const,
});
const overrideOf = (ran: Ran, at = -1) => ({
  ...executionOf(ran, at),
  stageName: 'Build',
  conditionType: 'BEFORE_ENTRY' as const,
});
const rollbackOf = (ran: Ran, target = ran.ids[0]) => ({
  ...stageOf(ran, 'Build'),
  targetPipelineExecutionId: target,
});
const inbound = (ran: Ran) => ({ ...stageOf(ran, 'Build'), transitionType: 'Inbound' as const });
const history = (ran: Ran) => ({ pipelineName: ran.name, filter: { pipelineExecutionId: ran.ids[0] }, maxResults: 1 });
const unknownFilter = (ran: Ran) => ({ pipelineName: ran.name, filter: { pipelineExecutionId: nowhere } });
const failure = { type: 'JobFailed', message: 'no' } as const;
const revision = { revisionId: 'r', revisionChangeId: 'c', created: new Date(1_790_000_000_000) };
const tagErrors = (input: Input): NonNullable<OperationRow['refuses']> => [
  ['ResourceNotFoundException', (w) => ({ ...input(w), resourceArn: w.arn('nobody') })],
  ['InvalidArnException', (w) => ({ ...input(w), resourceArn: `${w.arn(w.done.name)}/Build` })],
];

/** One successful call of each operation that is served, and its own refusals (CP 8.2). */
export const operationRows: Readonly<Record<string, OperationRow>> = {
  GetPipeline: {
    input: (w) => ({ name: w.updated.name, version: 1 }),
    answers: { pipeline: { version: 1, executionMode: 'SUPERSEDED', pipelineType: 'V2' }, metadata: expect.anything() },
    refuses: [['PipelineVersionNotFoundException', (w) => ({ name: w.updated.name, version: 3 })]],
  },
  GetPipelineState: {
    input: (w) => ({ name: w.done.name }),
    answers: { pipelineVersion: 1, stageStates: [{ inboundExecutions: [] }, {}, {}], created: expect.any(Date) },
  },
  GetPipelineExecution: {
    input: (w) => executionOf(w.done),
    answers: {
      pipelineExecution: { status: 'Succeeded', pipelineVersion: 1, trigger: { triggerType: 'CreatePipeline' } },
    },
    refuses: [
      ['PipelineExecutionNotFoundException', (w) => ({ pipelineName: w.done.name, pipelineExecutionId: nowhere })],
      ['PipelineExecutionNotFoundException', (w) => ({ ...executionOf(w.failed), pipelineName: w.done.name })],
    ],
  },
  ListPipelines: {
    input: () => ({ maxResults: 1 }),
    answers: { pipelines: [{ version: expect.any(Number) }], nextToken: expect.any(String) },
    refuses: [['ValidationException', () => ({ maxResults: 1001 })]],
  },
  ListPipelineExecutions: {
    input: (w) => ({ pipelineName: w.done.name, filter: { succeededInStage: { stageName: 'Build' } }, maxResults: 1 }),
    answers: { pipelineExecutionSummaries: [{ status: 'Succeeded' }], nextToken: expect.any(String) },
    refuses: [['ValidationException', (w) => ({ pipelineName: w.done.name, maxResults: 101 })]],
  },
  ListActionExecutions: {
    input: (w) => history(w.done),
    answers: { actionExecutionDetails: [{ status: 'Succeeded' }], nextToken: expect.any(String) },
    refuses: [['PipelineExecutionNotFoundException', (w) => unknownFilter(w.done)]],
  },
  ListRuleExecutions: {
    input: (w) => history(w.blocked),
    answers: { ruleExecutionDetails: [{ ruleName: 'IsGreen', status: 'Failed' }] },
    refuses: [['PipelineExecutionNotFoundException', (w) => unknownFilter(w.done)]],
  },
  ListDeployActionExecutionTargets: {
    input: (w) => ({ pipelineName: w.waiting.name, actionExecutionId: w.waiting.token }),
    answers: { targets: [] },
    refuses: [
      ['ActionExecutionNotFoundException', () => ({ actionExecutionId: nowhere })],
      ['ActionExecutionNotFoundException', (w) => ({ pipelineName: w.done.name, actionExecutionId: w.waiting.token })],
    ],
  },
  StartPipelineExecution: {
    input: (w) => ({ name: w.deleted.name, variables: [{ name: 'A', value: '1' }], clientRequestToken: randomUUID() }),
    answers: { pipelineExecutionId: expect.any(String) },
    refuses: [['ValidationException', (w) => ({ name: w.done.name, variables: [{ name: 'A', value: '' }] })]],
  },
  StopPipelineExecution: {
    input: (w) => ({ ...executionOf(w.running), abandon: true }),
    answers: { pipelineExecutionId: expect.any(String) },
    refuses: [
      ['PipelineExecutionNotStoppableException', (w) => executionOf(w.done)],
      ['DuplicatedStopRequestException: The execution with ID', (w) => executionOf(w.stopping)],
    ],
  },
  RetryStageExecution: {
    input: (w) => retryOf(w.failed),
    answers: { pipelineExecutionId: expect.any(String) },
    refuses: [
      ['NotLatestPipelineExecutionException', (w) => retryOf(w.failed, 0)],
      ['StageNotRetryableException', (w) => retryOf(w.done)],
    ],
  },
  RollbackStage: {
    input: (w) => rollbackOf(w.done),
    answers: { pipelineExecutionId: expect.any(String) },
    refuses: [
      ['PipelineExecutionNotFoundException', (w) => rollbackOf(w.done, nowhere)],
      ['PipelineExecutionOutdatedException', (w) => rollbackOf(w.updated)],
      ['UnableToRollbackStageException', (w) => rollbackOf(w.failed)],
    ],
  },
  PutApprovalResult: {
    input: (w) => approvalOf(w.waiting),
    answers: { approvedAt: expect.any(Date) },
    refuses: [
      ['ActionNotFoundException', (w) => ({ ...approvalOf(w.waiting), actionName: 'Nothing' })],
      ['InvalidApprovalTokenException', (w) => ({ ...approvalOf(w.waiting), token: nowhere })],
      ['ApprovalAlreadyCompletedException', (w) => approvalOf(w.answered)],
    ],
  },
  OverrideStageCondition: {
    input: (w) => overrideOf(w.blocked),
    refuses: [
      ['ConditionNotOverridableException', (w) => overrideOf(w.done)],
      ['ConditionNotOverridableException', (w) => ({ ...overrideOf(w.blocked), conditionType: 'ON_SUCCESS' })],
      ['NotLatestPipelineExecutionException', (w) => overrideOf(w.blocked, 0)],
      ['ValidationException', (w) => ({ ...overrideOf(w.blocked), conditionType: 'ON_FAILURE' })],
    ],
  },
  EnableStageTransition: { input: (w) => inbound(w.done) },
  DisableStageTransition: {
    input: (w) => ({ ...inbound(w.done), reason: 'freeze' }),
    refuses: [['ValidationException', (w) => ({ ...inbound(w.done), reason: 'a, b' })]],
  },
  CreatePipeline: {
    input: () => ({ pipeline: declare({ Build: { Unit: {} } }), tags: [{ key: 'a', value: 'b' }] }),
    answers: { pipeline: { version: 1, executionMode: 'SUPERSEDED' }, tags: [{ key: 'a', value: 'b' }] },
    refuses: [
      ['PipelineNameInUseException', (w) => ({ pipeline: declare({ Build: { Unit: {} } }, { name: w.done.name }) })],
      ['InvalidStructureException: Pipeline has only 1 stage(s).', () => ({ pipeline: declare({}) })],
      ['InvalidStageDeclarationException', () => ({ pipeline: twoUnits() })],
      ["InvalidActionDeclarationException: ActionType (Category: 'Build', P", () => ({ pipeline: noSuchType() })],
      ['InvalidTagsException', () => ({ pipeline: declare({ Build: { Unit: {} } }), tags: reserved })],
      ['TooManyTagsException', () => ({ pipeline: declare({ Build: { Unit: {} } }), tags: manyTags })],
    ],
  },
  UpdatePipeline: {
    input: (w) => ({ pipeline: declare({ Build: { Unit: {} } }, { name: w.deleted.name }) }),
    answers: { pipeline: { version: 2 } },
    refuses: [
      ['PipelineNotFoundException', () => ({ pipeline: declare({ Build: { Unit: {} } }) })],
      ['InvalidStructureException', (w) => ({ pipeline: declare({}, { name: w.done.name }) })],
      ['InvalidActionDeclarationException', (w) => ({ pipeline: { ...noSuchType(), name: w.done.name } })],
    ],
  },
  DeletePipeline: { input: (w) => ({ name: w.deleted.name }) },
  TagResource: {
    input: (w) => ({ resourceArn: w.arn(w.done.name), tags: [{ key: 'a', value: 'b' }] }),
    refuses: [
      ...tagErrors(() => ({ tags: [] })),
      ['TooManyTagsException', (w) => ({ resourceArn: w.arn(w.done.name), tags: manyTags })],
      ['InvalidTagsException', (w) => ({ resourceArn: w.arn(w.done.name), tags: reserved })],
    ],
  },
  UntagResource: {
    input: (w) => ({ resourceArn: w.arn(`webhook:${w.webhook}`), tagKeys: ['a'] }),
    refuses: tagErrors(() => ({ tagKeys: [] })),
  },
  ListTagsForResource: {
    input: (w) => ({ resourceArn: w.arn('actiontype:Custom/Build/Mill/1') }),
    answers: { tags: [] },
    refuses: tagErrors(() => ({})),
  },
  ListActionTypes: {
    input: () => ({ actionOwnerFilter: 'Custom', regionFilter: 'eu-west-1' }),
    answers: { actionTypes: expect.arrayContaining([expect.objectContaining({ id: mill })]) },
    refuses: [['ValidationException', () => ({ actionOwnerFilter: 'Nobody' })]],
  },
  GetActionType: {
    input: () => codeBuild,
    answers: { actionType: { id: codeBuild, inputArtifactDetails: { minimumCount: 1, maximumCount: 5 } } },
    refuses: [
      ['ActionTypeNotFoundException', () => ({ ...codeBuild, version: '9' })],
      ['ValidationException', () => mill],
    ],
  },
  ListRuleTypes: {
    input: () => ({ ruleOwnerFilter: 'AWS' }),
    answers: { ruleTypes: expect.arrayContaining([expect.objectContaining({ id: expect.anything() })]) },
    refuses: [['ValidationException', () => ({ ruleOwnerFilter: 'Nobody' })]],
  },
  CreateCustomActionType: {
    input: () => ({ ...millType, version: 'new', tags: [{ key: 'a', value: 'b' }] }),
    answers: { actionType: { id: { ...mill, version: 'new' } }, tags: [{ key: 'a', value: 'b' }] },
    refuses: [
      ['ValidationException', () => ({ ...millType, version: '1' })],
      ['InvalidTagsException', () => ({ ...millType, version: '9', tags: reserved })],
      ['TooManyTagsException', () => ({ ...millType, version: '9', tags: manyTags })],
    ],
  },
  DeleteCustomActionType: { input: () => ({ category: 'Build', provider: 'Mill', version: 'old' }) },
  PollForJobs: {
    input: () => ({ actionTypeId: mill, maxBatchSize: 9 }),
    answers: { jobs: [{ nonce: expect.any(String), data: { artifactCredentials: expect.anything() } }] },
    refuses: [
      ['ActionTypeNotFoundException', () => ({ actionTypeId: { ...mill, version: '9' } })],
      ['ValidationException', () => ({ actionTypeId: mill, queryParam: { A: 'b' } })],
    ],
  },
  AcknowledgeJob: {
    input: (w) => w.jobs[0]!,
    answers: { status: 'InProgress' },
    refuses: [
      ['InvalidNonceException', (w) => ({ ...w.jobs[1]!, nonce: 'x' })],
      ['JobNotFoundException', () => ({ jobId: nowhere, nonce: 'x' })],
    ],
  },
  GetJobDetails: {
    input: (w) => ({ jobId: w.jobs[1]!.jobId }),
    answers: { jobDetails: { accountId: '111122223333', data: { actionTypeId: mill } } },
    refuses: [[`JobNotFoundException: Job with id '${nowhere}' does not exist`, () => ({ jobId: nowhere })]],
  },
  PutJobSuccessResult: {
    input: (w) => ({ jobId: w.jobs[1]!.jobId, outputVariables: { A: '1' } }),
    refuses: [
      ['JobNotFoundException', () => ({ jobId: nowhere })],
      ['InvalidJobStateException', (w) => ({ jobId: w.jobs[3]!.jobId, outputVariables: { A: '2' } })],
      ['OutputVariablesSizeExceededException', (w) => ({ jobId: w.jobs[2]!.jobId, outputVariables: tooMuch })],
      ['ValidationException: A job can not contain both', (w) => ({ ...continued(w), outputVariables: { A: '1' } })],
    ],
  },
  PutJobFailureResult: {
    input: (w) => ({ jobId: w.jobs[2]!.jobId, failureDetails: failure }),
    refuses: [
      ['JobNotFoundException', () => ({ jobId: nowhere, failureDetails: failure })],
      ['InvalidJobStateException: Job with id', (w) => ({ jobId: w.jobs[3]!.jobId, failureDetails: failure })],
    ],
  },
  PutActionRevision: {
    input: (w) => ({ ...stageOf(w.done, 'Source'), actionName: 'Fetch', actionRevision: revision }),
    answers: { newRevision: true, pipelineExecutionId: expect.any(String) },
    refuses: [
      [
        'ActionNotFoundException',
        (w) => ({ ...stageOf(w.done, 'Source'), actionName: 'No', actionRevision: revision }),
      ],
      ['ValidationException', (w) => ({ ...stageOf(w.done, 'Build'), actionName: 'Unit', actionRevision: revision })],
    ],
  },
  PutWebhook: {
    input: (w) => ({ webhook: webhookOf(w.done.name, 'new') }),
    answers: { webhook: { url: expect.stringContaining('/webhooks/'), definition: { name: 'new' } } },
    refuses: [
      ['PipelineNotFoundException', () => ({ webhook: webhookOf('nobody', 'bad') })],
      [
        'InvalidWebhookFilterPatternException',
        (w) => ({ webhook: { ...webhookOf(w.done.name, 'bad'), filters: [{ jsonPath: 'ref' }] } }),
      ],
      [
        'InvalidWebhookAuthenticationParametersException',
        (w) => ({ webhook: { ...webhookOf(w.done.name, 'bad'), authentication: 'GITHUB_HMAC' } }),
      ],
      ['InvalidTagsException', (w) => ({ webhook: webhookOf(w.done.name, 'bad'), tags: reserved })],
    ],
  },
  ListWebhooks: { input: () => ({ MaxResults: 1 }), answers: { webhooks: [{ url: expect.any(String) }] } },
  DeleteWebhook: { input: () => ({ name: 'nobody' }) },
};

const tooMuch = Object.fromEntries(Array.from({ length: 130 }, (_, n) => [`V${n}`, 'x'.repeat(1000)]));
const continued = (w: OperationsWorld) => ({ jobId: w.jobs[2]!.jobId, continuationToken: 'half' });

const client = { clientId: nowhere, clientToken: 'x', jobId: nowhere };
const details = { minimumCount: 0, maximumCount: 1 };

/** What only AWS and its partners have: the error, and an input that is in order (CP-J-18). */
export const absentOperations: Readonly<Record<string, readonly [error: string, input: object]>> = {
  AcknowledgeThirdPartyJob: ['JobNotFoundException', { ...client, nonce: 'x' }],
  DeregisterWebhookWithThirdParty: ['WebhookNotFoundException', { webhookName: 'w' }],
  GetThirdPartyJobDetails: ['JobNotFoundException', client],
  PollForThirdPartyJobs: ['ActionTypeNotFoundException', { actionTypeId: { ...mill, owner: 'ThirdParty' } }],
  PutThirdPartyJobFailureResult: ['JobNotFoundException', { ...client, failureDetails: failure }],
  PutThirdPartyJobSuccessResult: ['JobNotFoundException', client],
  RegisterWebhookWithThirdParty: ['WebhookNotFoundException', { webhookName: 'w' }],
  UpdateActionType: [
    'ActionTypeNotFoundException',
    {
      actionType: {
        id: { ...mill, owner: 'ThirdParty' },
        executor: { type: 'JobWorker', configuration: { jobWorkerExecutorConfiguration: {} } },
        inputArtifactDetails: details,
        outputArtifactDetails: details,
      },
    },
  ],
};
