import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../../src/codepipeline-api/operations.ts';
import { operationFacts, shapeNamed } from '../../src/codepipeline-api/shapes.ts';
import { testDatabase } from '../database.ts';
import { declare } from './declare.ts';
import { doorBench, refusal } from './door-bench.ts';
import { absentOperations, operationRows } from './operations-table.ts';
import { millType, operationsWorld, webhookOf, type OperationsWorld } from './operations-world.ts';
import { tableMarks } from './table-marks.ts';

const database = await testDatabase();
const bench = await doorBench(database);
const { client, engine } = bench;
let world: OperationsWorld;

beforeAll(async () => {
  world = await operationsWorld(bench);
});

type Asking = Readonly<Record<string, (input: object) => Promise<object>>>;

/** Through the SDK, whose methods have the names of the operations. */
function ask(operation: string, input: object, by = client): Promise<object> {
  const method = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}`;
  return (by as unknown as Asking)[method]!.call(by, input);
}

const served = Object.keys(operationRows);

const errorsOf = (operation: string): readonly string[] => operationFacts(operation)?.errors ?? [];

/** The worker polls what waits, so its jobs come and go on their own. */
const marks = () => tableMarks(database.db, { except: ['jobs'] });

type Refusal = readonly [error: string, input: object];

/** Refused with these errors, all of them in the words of the model, and nothing was written. */
async function expectRefused(operation: string, refusals: readonly Refusal[]): Promise<void> {
  await engine.settled();
  const before = await marks();
  const told = [];
  for (const [error, input] of refusals) told.push((await refusal(ask(operation, input))).slice(0, error.length));
  expect(told).toEqual(refusals.map(([error]) => error));
  expect(await marks()).toEqual(before);
  // The model has none for it (CP 8.2); that of its siblings is the clearest.
  const own = operation === 'UpdatePipeline' ? ['PipelineNotFoundException'] : [];
  for (const error of told) expect([...errorsOf(operation), ...own]).toContain(error.split(':')[0]);
}

/** What operations have in common: what is missing, names of nothing, tokens of another query. */
function commonRefusals(operation: string, good: object): readonly Refusal[] {
  const { members = {}, required = [] } = shapeNamed(operationFacts(operation)?.input ?? '');
  const errors = errorsOf(operation);
  const refuses = (error: string, names: readonly string[], value: string, words = ''): readonly Refusal[] => {
    const name = errors.includes(error) ? names.find((one) => one in members) : undefined;
    return name === undefined ? [] : [[`${error}${words}`, { ...good, [name]: value }]];
  };
  const missing = `ValidationException: ${required.length} validation error${required.length === 1 ? '' : 's'} detected: `;
  const account = operation === 'GetPipeline' ? 'Account' : 'The account with AWS account ID';
  const words = `: ${account} '111122223333' does not `;
  return [
    ...(required.length > 0 ? [[missing, {}] as const] : []),
    ...refuses('PipelineNotFoundException', ['pipelineName', 'name'], 'nobody', words),
    ...refuses('StageNotFoundException', ['stageName'], 'Nowhere'),
    ...refuses('InvalidNextTokenException', ['nextToken', 'NextToken'], 'MQ.forged'),
  ];
}

describe.each(served)('%s', (operation) => {
  const row = operationRows[operation]!;

  test('is refused with its own errors, and nothing is written', async () => {
    const own = (row.refuses ?? []).map(([error, input]): Refusal => [error, input(world)]);
    await expectRefused(operation, [...own, ...commonRefusals(operation, row.input(world))]);
  });

  test('answers', async () => {
    const answers = { $metadata: { httpStatusCode: 200 }, ...row.answers };
    expect(await ask(operation, row.input(world))).toMatchObject(answers);
  });
});

test('a read-only key is refused by every operation that writes, and nothing is written', async () => {
  const reader = bench.clientOf(await bench.key({ readOnly: true }));
  await engine.settled();
  const before = await marks();
  const writing = served.filter((operation) => operations[operation]!.writes);
  expect(writing).toHaveLength(23);
  for (const operation of writing) {
    const told = await refusal(ask(operation, operationRows[operation]!.input(world), reader));
    expect(told).toMatch(/^AccessDeniedException: User: \S+ is not authorized to perform: /);
    expect(told).toContain(`: codepipeline:${operation} on resource: arn:aws:codepipeline:eu-west-1:111122223333:*`);
  }
  expect(await marks()).toEqual(before);
});

test.each(Object.entries(absentOperations))(
  '%s: there is nothing of this kind (CP-J-18)',
  async (operation, absent) => {
    await expectRefused(operation, [absent]);
  },
);

test('an overridden condition lets the stage run, and the state tells it', async () => {
  await engine.settled();
  const { stageStates } = await client.getPipelineState({ name: world.blocked.name });
  expect(stageStates?.[1]).toMatchObject({
    beforeEntryConditionState: { latestExecution: { status: 'Overridden' } },
    latestExecution: { pipelineExecutionId: world.blocked.ids[1], status: 'Succeeded' },
  });
});

test('a read with a page size gives its own token back and ends (CP-X-71)', async () => {
  const pipelineName = world.done.name;
  const first = await client.listActionExecutions({ pipelineName, maxResults: 2 });
  const next = { pipelineName, maxResults: 100, nextToken: first.nextToken };
  const rest = await client.listActionExecutions(next);
  expect(rest.nextToken).toBeUndefined();
  const elsewhere = { ...next, pipelineName: world.failed.name };
  expect(await refusal(client.listActionExecutions(elsewhere))).toContain('InvalidNextTokenException');
});

test("CodePipeline's limits of an account: pipelines, webhooks, custom action types (CP-1.5)", async () => {
  const scope = 77;
  await sql`insert into api_pipelines (scope, name, version, digest)
    select ${scope}, 'p' || n, 1, (select digest from definitions limit 1) from generate_series(1, 999) n`.execute(
    database.db,
  );
  await sql`insert into api_webhooks (scope, name, path, target_pipeline, target_action, authentication, sealed_configuration, filters)
    select ${scope}, 'w' || n, 'path' || n, 'p1', 'Fetch', 'UNAUTHENTICATED', '', '[]' from generate_series(1, 299) n`.execute(
    database.db,
  );
  const full = bench.clientOf(await bench.key({ repositoryId: scope }));
  await full.createPipeline({ pipeline: declare({ Build: { Unit: {} } }) });
  await full.putWebhook({ webhook: webhookOf('p1', 'last') });
  expect(await refusal(full.createPipeline({ pipeline: declare({ Build: { Unit: {} } }) }))).toBe(
    'LimitExceededException: There are 1000 pipelines already. Delete one that nobody needs any more.',
  );
  expect(await refusal(full.putWebhook({ webhook: webhookOf('p1', 'more') }))).toBe(
    'LimitExceededException: There are 300 webhooks already. Delete one that nobody calls any more.',
  );
  const { actionTypes = [] } = await client.listActionTypes({ actionOwnerFilter: 'Custom' });
  for (let n = actionTypes.length; n < 50; n += 1)
    await client.createCustomActionType({ ...millType, version: `n${n}` });
  expect(await refusal(client.createCustomActionType({ ...millType, version: 'more' }))).toContain(
    'LimitExceededException',
  );
});
