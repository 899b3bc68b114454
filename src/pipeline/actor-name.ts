import type { Actor } from './execution.ts';

/** As people and the audit name whoever acted: a login, an ARN, or Penstock with its reason. */
export function actorName(actor: Actor): string {
  switch (actor.kind) {
    case 'person':
      return actor.login;
    case 'api':
      return actor.arn;
    case 'penstock':
      return `Penstock (${actor.why})`;
    default:
      return actor satisfies never;
  }
}
