import { claimCommand, countCommands, finishCommand, type HumanCommand } from '../db/human-commands.ts';
import { claimWords, rememberAccess, rememberedAccess } from '../db/refusals.ts';
import type { Deps } from '../deps.ts';
import type { RepositoryRef } from '../github/github.ts';
import { permissionNow, type Asked } from './asked.ts';
import { ignored, type Outcome } from './outcome.ts';
import type { LineAnswer } from './run-command.ts';

const limit = { commands: 30, minutes: 10 };
const tooMany = `more than ${limit.commands} commands in ${limit.minutes} minutes`;

export type Claim = HumanCommand & { readonly claimer: string };

/** Somebody over the limit is not heard, before GitHub is asked for anything (SEC-G-01, G-02). */
export async function passOver({ db }: Pick<Deps, 'db'>, claim: Claim): Promise<Outcome | undefined> {
  if ((await countCommands(db, { ...claim, minutes: limit.minutes })) <= limit.commands) return undefined;
  if ((await claimCommand(db, claim)) === 'known') return ignored('these commands were taken before');
  return overLimit(db, claim);
}

/** The first command over the limit, once claimed, is answered with that; the ones after it are passed over. */
export async function limitPerson(
  { db, github }: Pick<Deps, 'db' | 'github'>,
  repository: RepositoryRef,
  claim: Claim,
): Promise<Outcome | undefined> {
  if ((await countCommands(db, { ...claim, minutes: limit.minutes })) < limit.commands) return undefined;
  if (claim.pullRequest !== null && (await claimWords(db, claim))) {
    const body = `More than ${limit.commands} commands in ${limit.minutes} minutes: the next ones are not heard for a while.`;
    await github.comment(repository, claim.pullRequest, body, `reply:${claim.source}`);
  }
  return overLimit(db, claim);
}

async function overLimit(db: Deps['db'], { source }: Claim): Promise<Outcome> {
  await finishCommand(db, source, { outcome: 'limited', answer: tooMany });
  return ignored(tooMany);
}

/**
 * A person's access, asked of GitHub at each comment. Of somebody who was refused in words and goes on, once a minute.
 */
export async function accessOf(
  deps: Pick<Deps, 'db' | 'github' | 'now'>,
  repository: RepositoryRef,
  { person, since }: { readonly person: Asked['person']; readonly since: string },
): Promise<Asked['permission']> {
  const known = await rememberedAccess(deps.db, { repositoryId: repository.id, personId: person.id });
  return known ?? permissionNow(deps, repository, person, since);
}

type Refused = Pick<Asked, 'repository' | 'person' | 'permission' | 'claim'>;

/**
 * Whether an answer may have words. People without write access get one refusal in words, then for a while reactions
 * only, so that nobody makes Penstock flood a pull request (SEC-G-02). What they may ask is always answered.
 */
export async function mayHaveWords(
  { db }: Pick<Deps, 'db'>,
  { repository, person, permission, claim }: Refused,
  answers: readonly Pick<LineAnswer, 'answer'>[],
): Promise<boolean> {
  if (permission !== 'read' && permission !== 'none') return true;
  if (answers.some(({ answer }) => answer.mark === 'rocket' || answer.mark === '+1')) return true;
  const by = { repositoryId: repository.id, personId: person.id };
  if (await claimWords(db, { ...by, source: claim })) return true;
  await rememberAccess(db, { ...by, permission });
  return false;
}
