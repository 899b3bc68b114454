import type { CliIo } from './command.ts';
import type { RunTeller } from './run-teller.ts';

/** One JSON object a line: docs/run.md names the events and their fields. */
export function jsonTeller(io: CliIo): RunTeller {
  const tell = (event: object): void => io.out(JSON.stringify(event));
  return {
    begin: ({ isolation, ...run }) => tell({ event: 'start', ...run, isolation: isolation.level }),
    action: ({ stage, run, state }) => {
      const { action, attempt, summary, error, externalExecutionId: externalId } = run;
      // Its end may be known already when its begin is told.
      const known = state === 'InProgress' ? {} : { summary, error, externalId };
      tell({ event: 'action', stage, action, attempt, state, ...known });
    },
    log: ({ stage, run: { action, attempt } }, line) => tell({ event: 'log', stage, action, attempt, line }),
    end: ({ execution, status, stages, seconds, findings, results }) => {
      const { id, pipeline, ending } = execution;
      tell({ event: 'end', execution: id, pipeline, status, ending, seconds, stages, findings, ...results });
    },
  };
}
