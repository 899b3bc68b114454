import { createInterface } from 'node:readline/promises';
import type { LocalEngine } from '../main/local-engine.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Execution } from '../pipeline/execution.ts';
import { waitingApprovals } from '../pipeline/status.ts';
import type { CliIo } from './command.ts';

export interface GateKeeper {
  /** Asks for the first gate that waits and hands on the answer. `nobody`: a gate waits and nobody can be asked. */
  look(execution: Execution): Promise<'asked' | 'nobody'>;
  close(): void;
}

interface Gate {
  readonly stage: string;
  readonly action: string;
  readonly token: string;
}

interface Question {
  readonly token: string;
  readonly abort: AbortController;
  /** Absent until somebody answered; null when the input ended. */
  answer?: Answer | null;
}

type Answer = { readonly kind: 'approve' | 'reject'; readonly summary: string };

/** Approvals of a local run. The question stands while everything else goes on, and goes away with its gate. */
export function createGateKeeper(
  io: CliIo,
  { engine }: Pick<LocalEngine, 'engine'>,
  run: { readonly definition: PipelineDefinition; readonly approveAll: boolean },
): GateKeeper {
  let question: Question | undefined;
  const close = (): void => {
    question?.abort.abort();
    question = undefined;
  };
  const answer = async (execution: Execution, gate: Gate, { kind, summary }: Answer): Promise<void> => {
    const { stage, action, token } = gate;
    const by = { kind: 'penstock', why: 'penstock run' } as const;
    await engine.obey({ kind, lane: execution.lane, execution: execution.id, stage, action, token, summary }, by);
  };
  const look = async (execution: Execution): Promise<'asked' | 'nobody'> => {
    const [gate] = waitingApprovals(execution);
    if (gate === undefined || gate.token !== question?.token) close();
    if (gate === undefined) return 'asked';
    if (run.approveAll) {
      await answer(execution, gate, { kind: 'approve', summary: 'approved by --approve-all' });
      return 'asked';
    }
    if (!process.stdin.isTTY) return 'nobody';
    question ??= ask(gate, words(run.definition, gate), io);
    if (question.answer === null) return 'nobody';
    if (question.answer !== undefined) {
      await answer(execution, gate, question.answer);
      close();
    }
    return 'asked';
  };
  return { look, close };
}

function words(definition: PipelineDefinition, { stage, action }: Gate): string {
  const actions = definition.stages.find(({ name }) => name === stage)?.actions ?? [];
  const configuration = actions.find(({ name }) => name === action)?.configuration ?? {};
  const about = ['CustomData', 'ExternalEntityLink'].flatMap((key) => configuration[key] ?? []);
  return [...about.map((text) => `  ${text}`), `Approve ${stage}/${action}? [y/n] `].join('\n');
}

function ask(gate: Gate, text: string, io: CliIo): Question {
  const question: Question = { token: gate.token, abort: new AbortController() };
  // Standard output may be read by a program. Without raw mode the terminal keeps its own line editing, and Ctrl-C
  // stays a signal.
  const terminal = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const signal = AbortSignal.any([question.abort.signal, io.interrupted]);
  signal.addEventListener('abort', () => terminal.close(), { once: true });
  terminal.once('close', () => {
    if (!signal.aborted) question.answer ??= null;
  });
  const again = async (): Promise<void> => {
    const said = (await terminal.question(text, { signal })).trim();
    const kind = /^y(es)?$/i.test(said) ? 'approve' : /^no?$/i.test(said) ? 'reject' : undefined;
    if (kind === undefined) {
      io.err('Answer y to approve it or n to reject it; Ctrl-C stops the run.');
      return again();
    }
    question.answer = { kind, summary: kind === 'approve' ? 'approved in the terminal' : 'rejected in the terminal' };
    terminal.close();
  };
  // An aborted question has nobody left to answer it.
  void again().catch(() => {});
  return question;
}
