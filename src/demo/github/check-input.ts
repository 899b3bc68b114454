/** What GitHub takes for a check run, and what it refuses. Limits as in the published description. */
import { invalid } from './api-error.ts';
import type { CheckAction, CheckAnnotation, CheckStatus } from './state.ts';

export interface CheckInput {
  readonly name?: string;
  readonly headSha?: string;
  readonly externalId?: string;
  readonly detailsUrl?: string;
  readonly status?: CheckStatus;
  readonly conclusion?: string;
  readonly startedAt?: Date;
  readonly completedAt?: Date;
  readonly output?: {
    readonly title: string;
    readonly summary: string;
    readonly text?: string;
    readonly annotations: readonly CheckAnnotation[];
  };
  readonly actions?: readonly CheckAction[];
}

type Body = Readonly<Record<string, unknown>>;

const longestText = 65_535;
const mostAnnotations = 50;
const mostActions = 3;

const statuses = ['queued', 'in_progress', 'completed'];
/** GitHub Actions alone may write these. */
const reservedStatuses = ['waiting', 'requested', 'pending'];
const conclusions = ['action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'timed_out'];
const levels = ['notice', 'warning', 'failure'];

function refuse(field: string, message: string): never {
  throw invalid('Validation Failed', [{ resource: 'CheckRun', code: 'invalid', field, message }]);
}

function text(body: Body, field: string, longest = Infinity): string | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') return refuse(field, `${field} is not a string`);
  if (value.length > longest) return refuse(field, `${field} exceeds a maximum length of ${longest}`);
  return value;
}

function required(body: Body, field: string, longest?: number): string {
  const value = text(body, field, longest);
  if (value === undefined || value === '') return refuse(field, `${field} wasn't supplied`);
  return value;
}

function moment(body: Body, field: string): Date | undefined {
  const value = text(body, field);
  if (value === undefined) return undefined;
  const at = new Date(value);
  return /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(at.getTime())
    ? at
    : refuse(field, `${field} is not a timestamp`);
}

function webAddress(body: Body, field: string): string | undefined {
  const value = text(body, field);
  if (value !== undefined && !/^https?:\/\//.test(value)) refuse(field, `${field} must use http or https scheme`);
  return value;
}

function oneOf(body: Body, field: string, allowed: readonly string[]): string | undefined {
  const value = text(body, field);
  if (value !== undefined && !allowed.includes(value))
    refuse(field, `${field} ${value} is not one of ${allowed.join(', ')}`);
  return value;
}

function statusOf(body: Body): CheckStatus | undefined {
  const value = body['status'];
  if (typeof value === 'string' && reservedStatuses.includes(value)) {
    refuse('status', `${value} is reserved for GitHub Actions`);
  }
  return oneOf(body, 'status', statuses) as CheckStatus | undefined;
}

function list(body: Body, field: string, most: number): readonly Body[] | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return refuse(field, `${field} is not an array`);
  if (value.length > most) return refuse(field, `${field} exceeds a maximum quantity of ${most}`);
  return value as Body[];
}

function actionOf(body: Body): CheckAction {
  return {
    label: required(body, 'label', 20),
    description: required(body, 'description', 40),
    identifier: required(body, 'identifier', 20),
  };
}

function lineOf(body: Body, field: string): number {
  const value = body[field];
  return Number.isInteger(value) ? (value as number) : refuse(field, `${field} is not a line number`);
}

function annotationOf(body: Body): CheckAnnotation {
  const start = lineOf(body, 'start_line');
  const end = lineOf(body, 'end_line');
  const columns = body['start_column'] !== undefined || body['end_column'] !== undefined;
  if (columns && start !== end) refuse('start_column', 'columns need start_line and end_line on one line');
  const title = text(body, 'title', 255);
  const details = text(body, 'raw_details', 65_536);
  return {
    path: required(body, 'path'),
    start_line: start,
    end_line: end,
    ...(body['start_column'] === undefined ? {} : { start_column: lineOf(body, 'start_column') }),
    ...(body['end_column'] === undefined ? {} : { end_column: lineOf(body, 'end_column') }),
    annotation_level: (oneOf(body, 'annotation_level', levels) ?? refuse('annotation_level', 'is missing')) as 'notice',
    message: required(body, 'message', 65_536),
    ...(title === undefined ? {} : { title }),
    ...(details === undefined ? {} : { raw_details: details }),
  };
}

/** On an update the title may be left out and stays as it was. */
function outputOf(body: Body, earlierTitle: string | null): CheckInput['output'] {
  const value = body['output'];
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null) return refuse('output', 'output is not an object');
  const output = value as Body;
  const long = text(output, 'text', longestText);
  return {
    title: text(output, 'title') ?? earlierTitle ?? refuse('output', 'title is missing'),
    summary: required(output, 'summary', longestText),
    ...(long === undefined ? {} : { text: long }),
    annotations: (list(output, 'annotations', mostAnnotations) ?? []).map(annotationOf),
  };
}

export function checkInput(body: Body, earlierTitle: string | null = null): CheckInput {
  const status = statusOf(body);
  const conclusion = oneOf(body, 'conclusion', conclusions);
  if (status === 'completed' && conclusion === undefined) refuse('conclusion', 'a completed check run needs one');
  const fields: { [Key in keyof CheckInput]: CheckInput[Key] | undefined } = {
    name: text(body, 'name'),
    headSha: text(body, 'head_sha'),
    externalId: text(body, 'external_id'),
    detailsUrl: webAddress(body, 'details_url'),
    status: conclusion === undefined ? status : 'completed',
    conclusion,
    startedAt: moment(body, 'started_at'),
    completedAt: moment(body, 'completed_at'),
    output: outputOf(body, earlierTitle),
    actions: list(body, 'actions', mostActions)?.map(actionOf),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as CheckInput;
}
