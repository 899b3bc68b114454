import type { ActionRun, Actor, StageRun } from '../pipeline/execution.ts';
import type { CommandPrefix } from '../commands/verbs.ts';
import { code } from './markdown.ts';
import type { Phase } from './stage-view.ts';
import type { ExecutionView } from './view.ts';

/** Small words that every part of a check run uses. */

const icons: Readonly<Record<Phase['kind'], string>> = {
  'not-reached': '▫️',
  queued: '⏳',
  entrance: '⏳',
  running: '🔵',
  failing: '❌',
  stopping: '🔵',
  gate: '✋',
  succeeded: '✅',
  failed: '❌',
  stopped: '⏹️',
  skipped: '⏭️',
  superseded: '⏭️',
  cancelled: '⏹️',
};

const phaseWords: Readonly<Record<Phase['kind'], string>> = {
  'not-reached': 'Not reached',
  queued: 'Queued',
  entrance: 'Waiting to enter',
  running: 'Running',
  failing: 'Failing',
  stopping: 'Stopping',
  gate: 'Waiting for approval',
  succeeded: 'Succeeded',
  failed: 'Failed',
  stopped: 'Stopped',
  skipped: 'Skipped',
  superseded: 'Superseded',
  cancelled: 'Cancelled',
};

export function phaseCell(phase: Phase): string {
  return `${icons[phase.kind]} ${phaseWords[phase.kind]}`;
}

export function actionState(run: ActionRun): string {
  switch (run.status) {
    case 'InProgress':
      return run.phase === 'waiting' ? '✋ Waiting for approval' : '🔵 Running';
    case 'Succeeded':
      return run.answeredBy ? '✅ Approved' : '✅ Succeeded';
    case 'Failed':
      if (run.answeredBy?.kind === 'penstock') return '⌛ Expired';
      return run.answeredBy ? '❌ Rejected' : '❌ Failed';
    case 'Abandoned':
      return '⏹️ Abandoned';
    default:
      return run.status satisfies never;
  }
}

/** Only of what has ended: a running time would make every drawing differ from the one before. */
export function durationOf(run: Pick<StageRun | ActionRun, 'startedAt' | 'endedAt'>): string {
  return run.endedAt === undefined ? '' : duration(Date.parse(run.endedAt) - Date.parse(run.startedAt));
}

export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return '';
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return join(minutes, 'm', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? join(hours, 'h', minutes % 60, 'm') : join(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`;
}

/** `2026-11-23 04:00 UTC`. */
export function moment(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return 'an unknown time';
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Markdown. */
export function actorWords(actor: Actor): string {
  switch (actor.kind) {
    case 'person':
      return code(actor.login);
    case 'api':
      return code(actor.arn);
    case 'penstock':
      return 'Penstock';
    default:
      return actor satisfies never;
  }
}

export function prefixOf(view: Pick<ExecutionView, 'bareCommands'>): CommandPrefix {
  return view.bareCommands ? '/' : '/penstock ';
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
