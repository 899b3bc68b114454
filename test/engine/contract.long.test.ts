import { findExecution } from '../../src/db/executions.ts';
import { laneKey } from '../../src/pipeline/execution.ts';
import { testDatabase } from '../database.ts';
import { engineContract, type EngineWorld } from './contract.ts';
import { engineBench, repository } from './engine-bench.ts';
import { heldActions, recordsOf, tellEngine } from './inner-engine.ts';

const database = await testDatabase();
const bench = await engineBench(database, heldActions);
bench.aws.invokeFunction = () => Promise.resolve({ kind: 'accepted' });

const by = { kind: 'person', id: 2, login: 'reviewer' } as const;

const world: EngineWorld = {
  declare: () => Promise.resolve(),
  update: (name, { definition }) =>
    bench.engine.updateDefinition({
      lane: laneKey(repository.id, name),
      repositoryId: repository.id,
      pipeline: name,
      definition,
      by,
    }),
  start: (name, { definition, trigger, variables, sourceRevisions }, key) =>
    bench.start(definition, { pipeline: name, key, trigger, variables, sourceRevisions }),
  obey: (command, asked) => bench.engine.obey(command, asked),
  tell: (fact) => tellEngine(bench, fact),
  running: async (execution) => (await findExecution(database.db, execution))?.execution,
  pass: (ms) => {
    bench.shiftMs += ms;
  },
  settle: async (name, isDone) => {
    await bench.settled();
    isDone(await world.records(name));
  },
  records: (name) => recordsOf(database, laneKey(repository.id, name)),
};

const lockIsTold = 'the lock over all lanes is granted by this engine itself; the test of exclusive stages plays it';

engineContract(world, {
  absent: {
    'exclusive-parallel.txt': lockIsTold,
    'exclusive-stage.txt': lockIsTold,
    'exclusive-stop.txt': lockIsTold,
    'exclusive-superseded.txt': lockIsTold,
  },
  answers: {},
});
