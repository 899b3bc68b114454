import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import type { ExecutionRecord } from '../../src/db/executions.ts';
import type { Obeyed } from '../../src/engine/engine.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { ActionExecutionId, Actor, Execution, ExecutionId } from '../../src/pipeline/execution.ts';
import { laneKey } from '../../src/pipeline/execution.ts';
import { executionIdFor } from '../../src/pipeline/ids.ts';
import type { Fact } from '../../src/pipeline/fact.ts';
import type { PipelineCommand, StartInput } from '../../src/pipeline/protocol.ts';
import { attemptsOf, stageStatus } from '../../src/pipeline/status.ts';
import { pipeline, type BuiltPipeline, type PipelineSpec } from '../pipeline/pipelines.ts';
import { describeExecution, parseScenario, type Scenario } from '../pipeline/scenario.ts';
import { inputOf, type Ids } from '../pipeline/scenario-inputs.ts';
import { readExpected, type ExpectedStep } from './contract-expected.ts';
import { repository } from './engine-bench.ts';

/**
 * One engine as the contract sees it: the port (src/engine/engine.ts), somebody who says how actions end, a clock, and
 * what is on record.
 */
export interface EngineWorld {
  declare(name: string, built: BuiltPipeline): Promise<void>;
  update(name: string, built: BuiltPipeline): Promise<void>;
  /** The same key again is the same execution. */
  start(name: string, input: StartInput, key: string): Promise<ExecutionId>;
  obey(command: PipelineCommand, by: Actor): Promise<Obeyed>;
  /** `execution` is the engine's own id; actions and rules have one id on both sides. */
  tell(fact: Fact): Promise<void>;
  /** As the one who runs it has it; undefined when nobody does. */
  running(execution: ExecutionId): Promise<Execution | undefined>;
  pass(ms: number): void;
  /** Looks until `isDone`, or until nothing new can come any more. Every look is shown to `isDone`. */
  settle(name: string, isDone: (records: readonly OnRecord[]) => boolean): Promise<void>;
  records(name: string): Promise<readonly OnRecord[]>;
}

export interface OnRecord extends ExecutionRecord {
  readonly definition: PipelineDefinition;
}

/** What an engine cannot show of a scenario, with the reason: nothing is left out in silence. */
export interface Differences {
  /** Files that it cannot play at all. */
  readonly absent: Readonly<Record<string, string>>;
  /** By `file: line`: another exception, `done` (it is not refused), or `record` (the execution ends with the refusal). */
  readonly answers: Readonly<Record<string, string>>;
  /** Words at the end of a description that its reads do not carry. */
  readonly uncarried?: readonly { readonly words: RegExp; readonly only?: string }[];
}

const person: Actor = { kind: 'person', id: 2, login: 'reviewer' };
const caller: Actor = { kind: 'api', arn: 'arn:aws:iam::111122223333:user/ann' };

const folder = join(import.meta.dirname, '../pipeline/scenarios');

/**
 * Plays the scenarios of the pure core through an engine. After each line the executions, stages and attempts on record
 * stand as the scenario says, on the way there nothing is shown that is neither old nor new, and the end is the same
 * word for word.
 */
export function engineContract(world: EngineWorld, differences: Differences): void {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    const scenario = parseScenario(readFileSync(join(folder, file), 'utf8'));
    const why = differences.absent[file];
    const rules = scenario.rules.length > 0 ? ` (${scenario.rules.join(', ')})` : '';
    if (why !== undefined) {
      console.log(`skipped: ${scenario.title}${rules}: ${why}`);
      test.skip(`${scenario.title}${rules}: ${why}`, () => {});
    } else
      test(`${scenario.title}${rules}`, async () => {
        await new Play(world, file, scenario, differences).run();
      });
  }
}

class Play {
  readonly world: EngineWorld;
  readonly file: string;
  readonly name: string;
  readonly scenario: Scenario;
  readonly differences: Differences;
  readonly spec: PipelineSpec & { update?: Partial<PipelineSpec> };
  readonly names = new Map<string, string>();
  /** Statuses that the scenario has named so far, by `e1`, `e1/Build#2`, `e1/Build/Unit#1`. */
  readonly expected = new Map<string, string>();
  /** On record although the scenario knows nothing of them. */
  readonly refusedStarts = new Set<string>();
  own = 0;

  constructor(world: EngineWorld, file: string, scenario: Scenario, differences: Differences) {
    this.world = world;
    this.file = file;
    this.name = file.replace('.txt', '');
    this.scenario = scenario;
    this.differences = differences;
    this.spec = withHandedOverRules(parse(scenario.head) as PipelineSpec);
  }

  async run(): Promise<void> {
    const { steps, end } = readExpected(this.scenario.expected);
    await this.world.declare(this.name, this.built());
    for (const step of steps) await this.step(step);
    const wanted = this.carried(end);
    await this.world.settle(this.name, (records) => this.describe(records) === wanted);
    expect(this.describe(await this.world.records(this.name))).toBe(wanted);
  }

  built(change: Partial<PipelineSpec> = {}): BuiltPipeline {
    return pipeline({ ...this.spec, ...change, name: this.name });
  }

  async step(step: ExpectedStep): Promise<void> {
    const before = new Map(this.expected);
    for (const [path, status] of step.changes) this.expected.set(path, status);
    const answer = await this.enter(step.input);
    const wanted = this.differences.answers[`${this.file}: ${step.input}`] ?? step.refused ?? 'done';
    expect(`${step.input}: ${answer}`).toBe(`${step.input}: ${wanted === 'record' ? 'done' : wanted}`);
    const [, subject = ''] = step.input.split(/\s+/);
    if (wanted === 'record') this.expected.set(subject, 'Failed');
    if (wanted === 'record') this.refusedStarts.add(subject);
    const surprises = new Set<string>();
    let isTrue = false;
    await this.world.settle(this.name, (records) => {
      this.nameOwn(records);
      const seen = this.statusesOf(records);
      for (const surprise of this.surprises(before, seen)) surprises.add(surprise);
      isTrue = [...this.expected].every(([path, status]) => seen.get(path) === status);
      return isTrue;
    });
    expect([...surprises], `shown on the way after: ${step.input}`).toEqual([]);
    if (!isTrue) {
      const seen = this.statusesOf(await this.world.records(this.name));
      const shown = [...this.expected.keys()].map((path) => [path, seen.get(path)]);
      expect(Object.fromEntries(shown), `after: ${step.input}`).toEqual(Object.fromEntries(this.expected));
    }
  }

  /** What is neither what was nor what will be, and not under way either. */
  surprises(before: ReadonlyMap<string, string>, seen: ReadonlyMap<string, string>): string[] {
    const moving = new Set(['InProgress', 'Stopping']);
    return [...seen].flatMap(([path, status]) => {
      const isKnown = before.get(path) === status || this.expected.get(path) === status || moving.has(status);
      return isKnown ? [] : [`${path} ${status}`];
    });
  }

  /** What the engine answered: `done`, or the exception. */
  async enter(line: string): Promise<string> {
    if (line === 'look') return 'done';
    const clock = /^at \+(\d+)([mhd])$/.exec(line);
    if (clock) {
      this.world.pass(Number(clock[1]) * ({ m: 60_000, h: 3_600_000, d: 86_400_000 }[clock[2] ?? 'm'] ?? 0));
      return 'done';
    }
    const ids = await this.ids(line);
    const lane = laneKey(repository.id, this.name);
    const input = inputOf(line, { lane }, this.built(line === 'update' ? this.spec.update : {}), ids);
    switch (input.kind) {
      case 'start':
        return this.start(line, input);
      case 'update-definition':
        await this.world.update(this.name, { definition: input.definition, digest: input.digest });
        return 'done';
      case 'approve':
      case 'reject':
      case 'retry':
      case 'stop':
      case 'withdraw':
      case 'rollback':
      case 'override':
      case 'disable-transition':
      case 'enable-transition': {
        const obeyed = await this.world.obey(input, line.includes('by-call') ? caller : person);
        return obeyed.outcome === 'done' ? 'done' : obeyed.refusal.exception;
      }
      default:
        await this.world.tell(input);
        return 'done';
    }
  }

  async start(line: string, input: StartInput): Promise<string> {
    const name = line.split(/\s+/)[1] ?? '';
    try {
      const id = await this.world.start(this.name, input, `${this.file}/${name}`);
      const known = [...this.names].find(([, one]) => one === name)?.[0];
      expect(id, 'the same key is the same execution').toBe(known ?? id);
      this.names.set(id, name);
      return 'done';
    } catch (error) {
      const refusal =
        error instanceof Error && 'refusal' in error ? (error.refusal as { exception: string }) : undefined;
      if (!refusal) throw error;
      return refusal.exception;
    }
  }

  /** Names of the scenario become ids: of executions at once, of attempts as the engine that runs them knows them. */
  async ids(line: string): Promise<Ids> {
    const executionId = (name: string): ExecutionId => {
      const known = [...this.names].find(([, one]) => one === name)?.[0];
      const id = (known ?? executionIdFor(`${this.file}/${name}`)) as ExecutionId;
      if (line.startsWith(`rollback ${name} `)) this.names.set(id, name);
      return id;
    };
    const [, first = ''] = line.split(/\s+/);
    const execution = await this.world.running(executionId(first));
    const find = (_execution: string, path: string): ActionExecutionId =>
      attemptAt(execution, path) ?? ('00000000-0000-5000-8000-000000000000' as ActionExecutionId);
    return { executionId, actionId: find, ruleId: find };
  }

  /** Executions that nobody here asked for are called r1, r2, … */
  nameOwn(records: readonly OnRecord[]): void {
    for (const { execution } of records) {
      if (this.names.has(execution.id)) continue;
      this.own += 1;
      this.names.set(execution.id, `r${this.own}`);
    }
  }

  statusesOf(records: readonly OnRecord[]): Map<string, string> {
    return new Map(
      records.flatMap(({ execution, definition, status }) => {
        const id = this.names.get(execution.id) ?? execution.id;
        const stages = execution.stages.flatMap((run): [string, string][] => [
          [`${id}/${run.stage}`, stageStatus(run, execution, definition)],
          ...attemptsOf(run).map((one): [string, string] => [
            `${id}/${run.stage}/${one.action}#${one.attempt}`,
            one.status,
          ]),
        ]);
        return [[id, status] as [string, string], ...stages];
      }),
    );
  }

  describe(records: readonly OnRecord[]): string {
    const named = (text: string): string =>
      text
        .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => this.names.get(id) ?? '<unknown>')
        .replaceAll(` ${this.name} `, ' web ');
    const order = [...this.names.values()];
    const played = records.filter(({ execution }) => !this.refusedStarts.has(this.names.get(execution.id) ?? ''));
    const sorted = played.toSorted((a, b) => place(order, this.names, a) - place(order, this.names, b));
    return this.carried(sorted.map((one) => describeExecution(one.execution, one.definition, named)).join('\n'));
  }

  /** Without what the reads do not carry. In which order a stage's actions stand is nobody's promise. */
  carried(text: string): string {
    const sorted = text.replaceAll(
      /\[([^\]]*)\]/g,
      (_all, actions: string) => `[${actions.split(', ').toSorted().join(', ')}]`,
    );
    const here = (this.differences.uncarried ?? []).filter(({ only }) => only === undefined || only === this.file);
    return here.reduce((rest, { words }) => rest.replaceAll(words, ''), sorted).trim();
  }
}

function place(order: readonly string[], names: ReadonlyMap<string, string>, { execution }: OnRecord): number {
  return order.indexOf(names.get(execution.id) ?? '');
}

/** `Build/Unit#2` or the newest of `Build/Unit`, among actions and rules. */
function attemptAt(execution: Execution | undefined, path: string): ActionExecutionId | undefined {
  const [, stage, name, number] = /^([^/]+)\/([^#]+)(?:#(\d+))?$/.exec(path) ?? [];
  const run = execution?.stages.find((one) => one.stage === stage);
  if (!run) return undefined;
  const actions = attemptsOf(run).filter((one) => one.action === name);
  const now = Object.values(run.conditions ?? {}).map((condition) => ({ ...condition, attempt: run.attempt }));
  const rules = [...(run.earlierConditions ?? []), ...now].flatMap(({ rules: all, attempt }) =>
    all.filter((one) => one.rule === name).map(({ id }) => ({ id, attempt })),
  );
  const known = [...actions, ...rules];
  return (number === undefined ? known.at(-1) : known.find((one) => one.attempt === Number(number)))?.id;
}

/**
 * Scenarios say themselves how a rule comes out; an engine leaves that to nobody but a function. A window that a scenario
 * waits for opens at no time at which tests run.
 */
function withHandedOverRules<T extends PipelineSpec>(spec: T): T {
  const handedOver = (_key: string, value: unknown): unknown => {
    if (!isRule(value)) return value;
    const { ruleTypeId } = value;
    if (ruleTypeId.provider === 'DeploymentWindow') return { ...value, configuration: { Cron: '0 0 12 1 1 ? 2099' } };
    return {
      ...value,
      ruleTypeId: { ...ruleTypeId, provider: 'LambdaInvoke' },
      configuration: { FunctionName: 'judge' },
    };
  };
  return JSON.parse(JSON.stringify(spec), handedOver) as T;
}

function isRule(value: unknown): value is { readonly ruleTypeId: { readonly provider: string } } {
  return typeof value === 'object' && value !== null && 'ruleTypeId' in value;
}
