import { randomUUID } from 'node:crypto';
import {
  ApprovalAlreadyCompletedException,
  ConditionNotOverridableException,
  CodePipelineServiceException,
  InvalidApprovalTokenException,
  PipelineExecutionNotFoundException,
  PipelineExecutionNotStoppableException,
  PipelineNotFoundException,
  StageNotRetryableException,
  type ActionExecutionDetail,
  type PipelineDeclaration,
  type PipelineExecutionStatus,
  type RuleExecutionDetail,
  type StageDeclaration,
  type TriggerType,
} from '@aws-sdk/client-codepipeline';
import type { Build } from '@aws-sdk/client-codebuild';
import type { AwsSessions, AwsSubject, CodePipelineApi } from '../../src/engine/aws/port.ts';

/** What the fake holds of one execution. Tests move it; everything is read back through CodePipeline's own documents. */
export interface FakeExecution {
  readonly id: string;
  readonly pipeline: string;
  readonly version: number;
  readonly token: string | undefined;
  readonly trigger: { readonly triggerType: TriggerType; readonly triggerDetail: string };
  readonly startTime: Date;
  readonly revisions: Readonly<Record<string, string>>;
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  readonly rollbackTarget?: string;
  status: PipelineExecutionStatus;
  statusSummary?: string;
  stage: string;
  readonly actions: Action[];
  /** Entrances whose condition was not met. */
  readonly unmet: Unmet[];
}

interface Unmet {
  readonly stage: string;
  readonly rule: RuleExecutionDetail;
  overridden?: Date;
}

type OverrideInput = Parameters<CodePipelineApi['overrideStageCondition']>[0];

interface Action {
  readonly id: string;
  readonly stage: string;
  readonly action: string;
  readonly startTime: Date;
  readonly declared: NonNullable<StageDeclaration['actions']>[number];
  status: 'InProgress' | 'Succeeded' | 'Failed' | 'Abandoned';
  updated: Date;
  updatedBy?: string;
  summary?: string;
  externalId?: string;
  error?: { code: string; message: string };
}

export interface FakeAws {
  readonly clients: AwsSessions;
  /** Every call that arrived, `PutApprovalResult {"…"}`, with the session that made it. */
  readonly calls: { readonly call: string; readonly input: object; readonly subject: AwsSubject }[];
  readonly executions: FakeExecution[];
  readonly builds: Build[];
  /** Lines by log stream. */
  readonly logs: Record<string, readonly string[]>;
  declare(declaration: PipelineDeclaration): void;
  /** As a console, a schedule or AWS's own trigger starts one. */
  begin(pipeline: string, trigger: TriggerType, revisions: Readonly<Record<string, string>>): FakeExecution;
  finish(execution: FakeExecution, action: string, end: 'Succeeded' | 'Failed', more?: Partial<Action>): void;
  end(execution: FakeExecution, status: PipelineExecutionStatus, summary?: string): void;
  /** The next calls of that name fail with this error; with `after`, their work is done and only the answer is lost. */
  fault(call: string, error: Error, options?: { readonly times?: number; readonly after?: boolean }): void;
  /** Reads show the past until it is called again with false. */
  lag(on: boolean): void;
  /** Only ListActionExecutions shows the past. */
  lagActions(on: boolean): void;
  /** Actions on a page; two unless told otherwise. */
  pageSize(actions: number): void;
  /** How many executions ListPipelineExecutions shows; a hundred unless told otherwise. */
  listed(executions: number): void;
  clearFaults(): void;
  /** How often a session was taken anew because it had expired. */
  renewed(): number;
  /** GetPipelineState knows no token yet (CP-X-69). */
  lateTokens(on: boolean): void;
}

export const role = 'arn:aws:iam::111122223333:role/penstock';
const session = 'arn:aws:sts::111122223333:assumed-role/penstock/repo-1';

export function awsError(name: string, message = name, status = 400): CodePipelineServiceException {
  return new CodePipelineServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode: status } });
}

/** Services that this fake does not play: as if the role had no right on them. */
function notPlayed(action: string): () => Promise<never> {
  return () => Promise.reject(awsError('AccessDeniedException', `not authorized to perform: ${action}`));
}

const meta = { $metadata: { httpStatusCode: 400 } };

/** `now`: of the test, where it moves its clock. */
export function createFakeAws(now = (): Date => new Date()): FakeAws {
  const world = new FakeWorld(now);
  return world.asFake();
}

class FakeWorld {
  readonly now: () => Date;
  readonly pipelines = new Map<string, PipelineDeclaration>();
  readonly calls: FakeAws['calls'] = [];
  readonly builds: Build[] = [];
  readonly logs: Record<string, readonly string[]> = {};
  readonly faults: { call: string; error: Error; left: number; after: boolean }[] = [];
  executions: FakeExecution[] = [];
  past: FakeExecution[] | undefined;
  tokensAreLate = false;
  renewals = 0;
  page = 2;
  mostListed = 100;
  pastActions: FakeExecution[] | undefined;

  constructor(now: () => Date) {
    this.now = now;
  }

  asFake(): FakeAws {
    return {
      clients: {
        logs: () =>
          Promise.resolve({
            getLogEvents: ({ logStreamName = '', limit = 10 }) =>
              Promise.resolve({
                events: (this.logs[logStreamName] ?? []).slice(-limit).map((message) => ({ message: `${message}\n` })),
              }),
            filterLogEvents: notPlayed('logs:FilterLogEvents'),
          }),
        renew: () => void (this.renewals += 1),
        codePipeline: (_target, subject) => Promise.resolve(this.api(subject)),
        codeBuild: () =>
          Promise.resolve({
            batchGetBuilds: ({ ids = [] }) =>
              Promise.resolve({ builds: this.builds.filter((build) => ids.includes(build.id ?? '')) }),
            batchGetReports: notPlayed('codebuild:BatchGetReports'),
            describeTestCases: notPlayed('codebuild:DescribeTestCases'),
          }),
        cloudFormation: notPlayed('cloudformation:DescribeStackEvents'),
        codeDeploy: notPlayed('codedeploy:GetDeployment'),
        ecs: notPlayed('ecs:DescribeServices'),
        lambda: notPlayed('lambda:GetFunctionConfiguration'),
      },
      calls: this.calls,
      executions: this.executions,
      builds: this.builds,
      logs: this.logs,
      declare: (declaration) => void this.pipelines.set(declaration.name ?? '', declaration),
      begin: (pipeline, triggerType, revisions) =>
        this.start(pipeline, {
          trigger: { triggerType, triggerDetail: 'arn:aws:iam::111122223333:user/anna' },
          revisions,
        }),
      finish: (execution, action, end, more) => this.finish(execution, action, end, more),
      end: (execution, status, summary) => {
        execution.status = status;
        if (summary !== undefined) execution.statusSummary = summary;
      },
      fault: (call, error, { times = 1, after = false } = {}) =>
        void this.faults.push({ call, error, left: times, after }),
      lag: (on) => {
        this.past = on ? structuredClone(this.executions) : undefined;
      },
      lagActions: (on) => {
        this.pastActions = on ? structuredClone(this.executions) : undefined;
      },
      pageSize: (actions) => {
        this.page = actions;
      },
      listed: (executions) => {
        this.mostListed = executions;
      },
      clearFaults: () => void this.faults.splice(0),
      renewed: () => this.renewals,
      lateTokens: (on) => {
        this.tokensAreLate = on;
      },
    };
  }

  api(subject: AwsSubject): CodePipelineApi {
    const on =
      <I extends object, O>(call: string, work: (input: I) => O) =>
      async (input: I): Promise<O> => {
        await Promise.resolve();
        this.calls.push({ call, input, subject });
        const fault = this.faults.find((one) => one.call === call && one.left > 0);
        if (fault) fault.left -= 1;
        if (fault && !fault.after) throw fault.error;
        const answer = work(input);
        if (fault) throw fault.error;
        return answer;
      };
    return {
      getPipeline: on('GetPipeline', ({ name }) => ({ pipeline: this.pipeline(name) })),
      getPipelineState: on('GetPipelineState', ({ name }) => this.state(name ?? '')),
      getPipelineExecution: on('GetPipelineExecution', ({ pipelineExecutionId }) => this.document(pipelineExecutionId)),
      listPipelineExecutions: on('ListPipelineExecutions', ({ pipelineName }) => ({
        pipelineExecutionSummaries: this.seen(pipelineName).toReversed().slice(0, this.mostListed).map(summaryOf),
      })),
      listActionExecutions: on('ListActionExecutions', ({ pipelineName, filter, nextToken }) => {
        const seen = (this.pastActions ?? this.seen(pipelineName)).filter((one) => one.pipeline === pipelineName);
        const wanted = filter?.pipelineExecutionId;
        const isParallel = this.pipeline(pipelineName).executionMode === 'PARALLEL';
        const details = seen
          .filter((one) => wanted === undefined || one.id === wanted)
          .flatMap((one) => one.actions.map((action) => detailOf(one, action, isParallel)))
          .toSorted((a, b) => (b.startTime?.getTime() ?? 0) - (a.startTime?.getTime() ?? 0));
        // Small pages, so that paging is always walked.
        const from = Number(nextToken ?? 0);
        const next = from + this.page < details.length ? { nextToken: String(from + this.page) } : {};
        return { actionExecutionDetails: details.slice(from, from + this.page), ...next };
      }),
      listRuleExecutions: on('ListRuleExecutions', ({ filter }) => ({
        ruleExecutionDetails: (this.past ?? this.executions)
          .filter(({ id }) => id === filter?.pipelineExecutionId)
          .flatMap(({ unmet }) => unmet.map(({ rule }) => rule)),
      })),
      startPipelineExecution: on('StartPipelineExecution', (input) => {
        this.pipeline(input.name);
        const known = this.executions.find((one) => one.token === input.clientRequestToken);
        if (known) return { pipelineExecutionId: known.id };
        const revisions = (input.sourceRevisions ?? []).map((one) => [one.actionName ?? '', one.revisionValue ?? '']);
        const made = this.start(input.name ?? '', {
          trigger: { triggerType: 'StartPipelineExecution', triggerDetail: session },
          revisions: Object.fromEntries(revisions) as Record<string, string>,
          token: input.clientRequestToken,
          variables: (input.variables ?? []).map(({ name = '', value = '' }) => ({ name, value })),
        });
        return { pipelineExecutionId: made.id };
      }),
      stopPipelineExecution: on('StopPipelineExecution', (input) =>
        this.stop(input.pipelineExecutionId, input.abandon),
      ),
      retryStageExecution: on('RetryStageExecution', (input) => this.retry(input.pipelineExecutionId, input.stageName)),
      rollbackStage: on('RollbackStage', (input) => this.rollback(input.targetPipelineExecutionId, input.stageName)),
      putApprovalResult: on('PutApprovalResult', (input) => this.answer(input)),
      overrideStageCondition: on('OverrideStageCondition', (input) => this.override(input)),
      enableStageTransition: on('EnableStageTransition', () => ({})),
      disableStageTransition: on('DisableStageTransition', () => ({})),
    };
  }

  pipeline(name: string | undefined): PipelineDeclaration {
    const found = this.pipelines.get(name ?? '');
    if (!found)
      throw new PipelineNotFoundException({
        message: `Account '111122223333' does not have a pipeline with name '${name}'`,
        ...meta,
      });
    return found;
  }

  seen(pipeline: string | undefined): FakeExecution[] {
    return (this.past ?? this.executions).filter((one) => one.pipeline === pipeline);
  }

  start(
    pipeline: string,
    made: Pick<FakeExecution, 'trigger' | 'revisions'> &
      Partial<Pick<FakeExecution, 'token' | 'variables' | 'rollbackTarget'>>,
  ): FakeExecution {
    const execution: FakeExecution = {
      id: randomUUID(),
      pipeline,
      version: this.pipeline(pipeline).version ?? 1,
      token: undefined,
      variables: [],
      startTime: this.now(),
      status: 'InProgress',
      stage: '',
      actions: [],
      unmet: [],
      ...made,
    };
    this.executions.push(execution);
    const [first] = this.pipeline(pipeline).stages ?? [];
    if (first && execution.rollbackTarget === undefined) this.enter(execution, first);
    return execution;
  }

  enter(execution: FakeExecution, stage: StageDeclaration): void {
    execution.stage = stage.name ?? '';
    if (stage.beforeEntry) this.hold(execution, stage);
    else this.begins(execution, stage);
  }

  /** Nothing plays the rules: each condition at an entrance is not met, until it is overridden. */
  hold(execution: FakeExecution, stage: StageDeclaration): void {
    const time = this.now();
    const rule = {
      pipelineExecutionId: execution.id,
      ruleExecutionId: randomUUID(),
      stageName: stage.name,
      ruleName: stage.beforeEntry?.conditions?.[0]?.rules?.[0]?.name,
      startTime: time,
      lastUpdateTime: time,
      status: 'Failed' as const,
    };
    execution.unmet.push({ stage: stage.name ?? '', rule });
    execution.status = 'Failed';
  }

  override({ pipelineExecutionId, stageName, conditionType }: OverrideInput) {
    const execution = this.execution(pipelineExecutionId);
    const held = execution.unmet.find((one) => one.stage === stageName && one.overridden === undefined);
    const declared = this.pipeline(execution.pipeline).stages?.find(({ name }) => name === stageName);
    if (!held || !declared || conditionType !== 'BEFORE_ENTRY')
      throw new ConditionNotOverridableException({ message: 'The condition cannot be overridden now.', ...meta });
    held.overridden = this.now();
    execution.status = 'InProgress';
    this.begins(execution, declared);
    return {};
  }

  begins(execution: FakeExecution, stage: StageDeclaration): void {
    for (const declared of stage.actions ?? []) this.run(execution, stage.name ?? '', declared);
    for (const action of execution.actions.filter((one) => one.stage === stage.name)) {
      if (action.declared.actionTypeId?.category === 'Source') this.finish(execution, action.action, 'Succeeded');
    }
  }

  run(execution: FakeExecution, stage: string, declared: Action['declared']): void {
    const startTime = new Date(this.now().getTime() + execution.actions.length);
    const action = declared.name ?? '';
    execution.actions.push({
      id: randomUUID(),
      stage,
      action,
      startTime,
      declared,
      status: 'InProgress',
      updated: startTime,
    });
  }

  finish(execution: FakeExecution, name: string, end: Action['status'], more: Partial<Action> = {}): void {
    const action = execution.actions.findLast((one) => one.action === name && one.status === 'InProgress');
    if (!action) throw new Error(`${name} does not run in ${execution.id}`);
    Object.assign(action, { status: end, updated: this.now(), ...more });
    const stages = this.pipeline(execution.pipeline).stages ?? [];
    const index = stages.findIndex((stage) => stage.name === action.stage);
    if (end === 'Failed') execution.status = 'Failed';
    const newest = newestOf(execution, action.stage);
    if (execution.status !== 'InProgress' || newest.some((one) => one.status !== 'Succeeded')) return;
    const next = execution.rollbackTarget === undefined ? stages[index + 1] : undefined;
    if (next) this.enter(execution, next);
    else execution.status = 'Succeeded';
  }

  execution(id: string | undefined): FakeExecution {
    const found = this.executions.find((one) => one.id === id);
    if (!found) throw new PipelineExecutionNotFoundException({ message: `no execution ${id}`, ...meta });
    return found;
  }

  stop(id: string | undefined, abandon: boolean | undefined) {
    const execution = this.execution(id);
    if (execution.status !== 'InProgress' && execution.status !== 'Stopping')
      throw new PipelineExecutionNotStoppableException({ message: 'It has ended.', ...meta });
    const running = execution.actions.filter((action) => action.status === 'InProgress');
    if (abandon) for (const action of running) Object.assign(action, { status: 'Abandoned', updated: this.now() });
    execution.status = abandon || running.length === 0 ? 'Stopped' : 'Stopping';
    return { pipelineExecutionId: execution.id };
  }

  retry(id: string | undefined, stage: string | undefined) {
    const execution = this.execution(id);
    if (execution.status !== 'Failed' && execution.status !== 'Stopped')
      throw new StageNotRetryableException({ message: 'The stage cannot be retried now.', ...meta });
    execution.status = 'InProgress';
    for (const action of newestOf(execution, stage ?? '')) {
      if (action.status !== 'Succeeded') this.run(execution, action.stage, action.declared);
    }
    return { pipelineExecutionId: execution.id };
  }

  rollback(target: string | undefined, stage: string | undefined) {
    const { pipeline, revisions, id } = this.execution(target);
    const trigger = { triggerType: 'ManualRollback', triggerDetail: JSON.stringify({ AwsUserArn: session }) } as const;
    const made = this.start(pipeline, { trigger, revisions, rollbackTarget: id });
    const declared = this.pipeline(pipeline).stages?.find((one) => one.name === stage);
    if (declared) this.enter(made, declared);
    return { pipelineExecutionId: made.id };
  }

  answer(input: Parameters<CodePipelineApi['putApprovalResult']>[0]) {
    const actions = this.executions.flatMap((execution) => execution.actions.map((action) => ({ execution, action })));
    const found = actions.find(({ action }) => action.id === input.token);
    if (!found) throw new InvalidApprovalTokenException({ message: 'The token is not valid.', ...meta });
    if (found.action.status !== 'InProgress')
      throw new ApprovalAlreadyCompletedException({ message: 'The approval was answered already.', ...meta });
    const { status, summary = '' } = input.result ?? {};
    const more = { summary, updatedBy: session };
    this.finish(found.execution, found.action.action, status === 'Approved' ? 'Succeeded' : 'Failed', more);
    return { approvedAt: this.now() };
  }

  document(id: string | undefined) {
    const found = (this.past ?? this.executions).find((one) => one.id === id);
    if (!found) throw new PipelineExecutionNotFoundException({ message: `no execution ${id}`, ...meta });
    const { status, statusSummary, trigger, version } = found;
    return {
      pipelineExecution: {
        pipelineName: found.pipeline,
        pipelineVersion: version,
        pipelineExecutionId: found.id,
        status,
        ...(statusSummary === undefined ? {} : { statusSummary }),
        trigger,
        artifactRevisions: [],
        variables: found.variables.map(({ name, value }) => ({ name, resolvedValue: value })),
        ...(found.rollbackTarget === undefined
          ? {}
          : {
              executionType: 'ROLLBACK' as const,
              rollbackMetadata: { rollbackTargetPipelineExecutionId: found.rollbackTarget },
            }),
      },
    };
  }

  state(name: string) {
    const declaration = this.pipeline(name);
    if (declaration.executionMode === 'PARALLEL') return { pipelineName: name, stageStates: [] };
    return {
      pipelineName: name,
      pipelineVersion: declaration.version ?? 1,
      stageStates: (declaration.stages ?? []).map((stage) => {
        const entered = this.seen(name).findLast(
          (one) =>
            one.actions.some((action) => action.stage === stage.name) ||
            one.unmet.some((held) => held.stage === stage.name),
        );
        if (!entered) return { stageName: stage.name, actionStates: [], inboundExecutions: [] };
        const actions = newestOf(entered, stage.name ?? '');
        return {
          stageName: stage.name,
          inboundExecutions: [],
          actionStates: actions.map((action) => ({ actionName: action.action, latestExecution: this.stateOf(action) })),
          latestExecution: { pipelineExecutionId: entered.id, status: stageStatusOf(entered, actions) },
          ...entranceOf(entered.unmet.find((held) => held.stage === stage.name)),
        };
      }),
    };
  }

  stateOf(action: Action) {
    const waits = action.declared.actionTypeId?.category === 'Approval' && action.status === 'InProgress';
    return {
      actionExecutionId: action.id,
      status: action.status,
      lastStatusChange: action.updated,
      ...(action.summary === undefined ? {} : { summary: action.summary }),
      ...(waits && !this.tokensAreLate ? { token: action.id } : {}),
    };
  }
}

function newestOf(execution: FakeExecution, stage: string): Action[] {
  const names = new Set(execution.actions.filter((one) => one.stage === stage).map((one) => one.action));
  return [...names].flatMap(
    (name) => execution.actions.findLast((one) => one.stage === stage && one.action === name) ?? [],
  );
}

function stageStatusOf(execution: FakeExecution, actions: readonly Action[]) {
  if (actions.length === 0) return 'Failed' as const;
  if (actions.every((action) => action.status === 'Succeeded')) return 'Succeeded' as const;
  if (actions.some((action) => action.status === 'Failed')) return 'Failed' as const;
  return execution.status === 'Stopped' ? ('Stopped' as const) : ('InProgress' as const);
}

function entranceOf(held: Unmet | undefined) {
  if (!held) return {};
  const status = held.overridden ? ('Overridden' as const) : ('Failed' as const);
  const latestExecution = { status, lastStatusChange: held.overridden ?? held.rule.startTime };
  return { beforeEntryConditionState: { latestExecution, conditionStates: [{ latestExecution }] } };
}

function summaryOf(execution: FakeExecution) {
  const { id, status, startTime, trigger, rollbackTarget } = execution;
  return {
    pipelineExecutionId: id,
    status,
    startTime,
    lastUpdateTime: startTime,
    trigger,
    sourceRevisions: Object.entries(execution.revisions).map(([actionName, revisionId]) => ({
      actionName,
      revisionId,
    })),
    ...(rollbackTarget === undefined
      ? {}
      : { rollbackMetadata: { rollbackTargetPipelineExecutionId: rollbackTarget } }),
  };
}

function detailOf(execution: FakeExecution | undefined, action: Action, parallel: boolean): ActionExecutionDetail {
  const isApproval = action.declared.actionTypeId?.category === 'Approval';
  return {
    pipelineExecutionId: execution?.id,
    actionExecutionId: action.id,
    stageName: action.stage,
    actionName: action.action,
    startTime: action.startTime,
    lastUpdateTime: action.updated,
    status: action.status,
    updatedBy: action.updatedBy,
    input: { actionTypeId: action.declared.actionTypeId, configuration: action.declared.configuration },
    output: {
      executionResult: {
        // Only this mode has the token here (CP-A-1).
        externalExecutionId: isApproval ? (parallel ? action.id : undefined) : action.externalId,
        externalExecutionSummary: action.summary,
        errorDetails: action.error,
      },
      outputVariables: {},
    },
  };
}
