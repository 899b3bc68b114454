import type { Exchange } from './github/http.ts';
import type { StandIn } from './github/stand-in.ts';
import type { Narrator } from './narrator.ts';
import type { Tone } from './typography.ts';

/** Tells every change of a check run at the moment at which GitHub learns of it. Answers how to stop. */
export function tellChecks(github: Pick<StandIn, 'onExchange'>, narrator: Pick<Narrator, 'event'>): () => void {
  const told = new Map<number, string>();
  return github.onExchange((exchange) => {
    const run = checkRunOf(exchange);
    if (run === null) return;
    const state = `${run.conclusion ?? run.status}: ${run.title}`;
    if (told.get(run.id) === state) return;
    told.set(run.id, state);
    narrator.event({ ...lookOf(run.conclusion ?? run.status), what: run.name, text: run.title });
  });
}

export interface SentCheck {
  readonly id: number;
  readonly name: string;
  readonly headSha: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly title: string;
}

/** The check run that a request of the App wrote; null for every other request. */
export function checkRunOf({ method, path, tookEffect, response }: Exchange): SentCheck | null {
  if (method === 'GET' || !tookEffect || !/\/check-runs(\/\d+)?$/.test(path)) return null;
  const run = response as {
    id: number;
    name: string;
    head_sha: string;
    status: string;
    conclusion: string | null;
    output: { title: string | null };
  };
  const { id, name, head_sha: headSha, status, conclusion, output } = run;
  return { id, name, headSha, status, conclusion, title: output.title ?? '' };
}

/** Marks that are read without colour. */
export function lookOf(state: string): { readonly mark: string; readonly tone: Tone } {
  switch (state) {
    case 'success':
      return { mark: '✓', tone: 'good' };
    case 'failure':
    case 'timed_out':
      return { mark: '✗', tone: 'bad' };
    case 'action_required':
      return { mark: '‖', tone: 'wait' };
    case 'queued':
    case 'in_progress':
      return { mark: '●', tone: 'busy' };
    default:
      return { mark: '■', tone: 'faint' };
  }
}
