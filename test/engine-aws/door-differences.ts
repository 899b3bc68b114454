import type { Differences } from '../engine/contract.ts';

const lock = 'CodePipeline has no lock over several pipelines’ executions';

/** What CodePipeline itself does otherwise than the core, or does not tell over the wire. */
export const doorDifferences: Differences = {
  absent: {
    'exclusive-parallel.txt': lock,
    'exclusive-stage.txt': lock,
    'exclusive-stop.txt': lock,
    'exclusive-superseded.txt': lock,
    'start-limit.txt': 'a full pipeline refuses nobody here: the start waits until CodePipeline takes it',
    'update-back.txt': 'on the wire every update is a new version, also the one that goes back',
    'withdraw-closed.txt': 'CodePipeline stops no execution that has failed, so its other actions run to their end',
  },
  answers: {
    // Taken out of the reason before it is sent.
    'inbound-transition.txt: hold Build Inbound by-call bad, reason': 'done',
    // Where nothing is said, it says who asked.
    'inbound-transition.txt: hold Build Inbound by-call': 'done',
    'inbound-transition.txt: hold Build Inbound': 'done',
    // The start is on record before it is sent; what CodePipeline says no to is its end.
    'required-variable.txt: start e3 ZONE=a ZONE=b': 'record',
    // Nothing is asked of CodePipeline about an execution that is not on record.
    'stop-twice.txt: stop e7': 'PipelineExecutionNotFoundException',
    // The newest version has no such stage.
    'update-under-way.txt: approve e1 Gate/Approve#1 late': 'StageNotFoundException',
  },
  uncarried: [
    // Who overtook whom.
    { words: / \(by e\d+\)| \(by undefined\)/g },
    // GetPipelineState has the retries of a stage, and in PARALLEL mode it knows no executions.
    { words: / <retries [^>]*>/g, only: 'parallel-actions-limit.txt' },
    { words: / <retries [^>]*>/g, only: 'parallel-retry.txt' },
  ],
};
