import { z } from 'zod';
import type { EventOrIgnored, WebhookEvent } from './event.ts';
import type { RepositoryRef } from './github.ts';
import { repository, repositoryRef, storable } from './shapes.ts';

export type Reader = (payload: unknown, appId?: number) => EventOrIgnored;

export function ignored(reason: string): EventOrIgnored {
  return { kind: 'ignored', reason };
}

export function event(event: WebhookEvent): EventOrIgnored {
  return { kind: 'event', event };
}

/** What every repository event of an App carries. */
export const repositoryEvent = z.object({ repository, installation: z.object({ id: z.int().positive() }).optional() });

type RepositoryEvent = z.output<typeof repositoryEvent>;

/**
 * Reads a payload that belongs to a repository and to one of the App's installations.
 * A body of another shape is rejected in one line that names the first field that is wrong.
 */
export function readRepositoryEvent<S extends z.ZodType<RepositoryEvent>>(
  name: string,
  schema: S,
  payload: unknown,
  read: (body: z.output<S>, repository: RepositoryRef) => EventOrIgnored,
): EventOrIgnored {
  return readShape(name, schema, payload, (body) => {
    if (!body.installation) return ignored(`${name}: sent by a repository's own webhook, not by the App's`);
    return read(body, repositoryRef(body.repository, body.installation.id));
  });
}

export function readShape<S extends z.ZodType>(
  name: string,
  schema: S,
  payload: unknown,
  read: (body: z.output<S>) => EventOrIgnored,
): EventOrIgnored {
  const parsed = schema.safeParse(payload);
  return parsed.success ? read(parsed.data) : ignored(rejection(name, parsed.error));
}

function rejection(name: string, error: z.ZodError): string {
  const issue = error.issues[0];
  const where = issue && issue.path.length > 0 ? ` (${issue.path.join('.')}: ${issue.message})` : '';
  return rejected(name, where);
}

export function rejected(name: string, where: string): string {
  return `rejected: body is not ${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name} event${where}`;
}

/** The action of a payload, or null for anything that is not an object with an action in words. */
function actionOf(payload: unknown): string | null {
  const parsed = z
    .object({
      action: z
        .string()
        .max(60)
        .regex(/^[a-z_]+$/),
    })
    .safeParse(payload);
  return parsed.success ? parsed.data.action : null;
}

/** For names of branches and people inside a reason. */
export function short(text: string): string {
  const clean = storable(text).replaceAll(/\s+/g, ' ');
  return clean.length > 100 ? `${clean.slice(0, 99)}…` : clean;
}

/** Dispatch on `action`; an action without a reader is ignored by name. */
export function byAction(name: string, actions: Readonly<Record<string, Reader>>, why: Reasons = {}): Reader {
  const readers = new Map(Object.entries(actions));
  const reasons = new Map(Object.entries(why));
  return (payload, appId) => {
    const action = actionOf(payload);
    if (action === null) return ignored(rejected(name, ' (action: expected a word)'));
    const reader = readers.get(action);
    if (reader) return reader(payload, appId);
    return ignored(`${name}.${action}: ${reasons.get(action) ?? 'changes nothing for a pipeline'}`);
  };
}

type Reasons = Readonly<Record<string, string>>;
