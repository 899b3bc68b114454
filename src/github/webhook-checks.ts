import { z } from 'zod';
import type { EventOrIgnored } from './event.ts';
import type { Account, RepositoryRef } from './github.ts';
import { account, id, optionalText, sha, text } from './shapes.ts';
import { byAction, event, ignored, readRepositoryEvent, rejected, repositoryEvent, short } from './webhook-reader.ts';
import type { Reader } from './webhook-reader.ts';

const app = z.object({ id }).nullish();

const runShape = repositoryEvent.extend({
  check_run: z.object({ id, name: text, external_id: optionalText, head_sha: sha, app }),
  requested_action: z.object({ identifier: text }).nullish(),
  sender: account,
});
type RunBody = z.output<typeof runShape>;

export const checkRun: Reader = byAction(
  'check_run',
  {
    requested_action: askedOf(button),
    rerequested: askedOf(rerun),
  },
  { created: 'check runs are read when they are needed', completed: 'check runs are read when they are needed' },
);

/** Reads a check run of this app that a person, not a bot, asked something of. */
function askedOf(read: (body: RunBody, repository: RepositoryRef) => EventOrIgnored): Reader {
  return (payload, appId) =>
    readRepositoryEvent(
      'check_run',
      runShape,
      payload,
      (body, repository) =>
        notOurs('check_run', body.check_run.app?.id, appId) ??
        byBot('check_run', body.sender) ??
        read(body, repository),
    );
}

function button(body: RunBody, repository: RepositoryRef): EventOrIgnored {
  const identifier = body.requested_action?.identifier;
  if (!identifier) return ignored(rejected('check_run', ' (requested_action: no identifier)'));
  return event({ kind: 'button', ...runOf(body, repository), identifier });
}

function rerun(body: RunBody, repository: RepositoryRef): EventOrIgnored {
  return event({ kind: 'rerun-check', ...runOf(body, repository) });
}

function runOf({ check_run, sender }: RunBody, repository: RepositoryRef) {
  return {
    repository,
    checkRunId: check_run.id,
    checkName: check_run.name,
    externalId: check_run.external_id,
    headSha: check_run.head_sha,
    sender,
  };
}

/** Another app may give its check run our name and external id (SEC-B-14). */
function notOurs(name: string, theirs: number | undefined, ours: number | undefined): EventOrIgnored | null {
  if (ours === undefined || theirs === ours) return null;
  return ignored(`${name}: belongs to another app`);
}

function byBot(name: string, sender: Account): EventOrIgnored | null {
  return sender.bot ? ignored(`${name}: asked for by the bot ${short(sender.login)}`) : null;
}

const suiteShape = repositoryEvent.extend({
  check_suite: z.object({ head_sha: sha, app }),
  sender: account,
});

export const checkSuite: Reader = byAction(
  'check_suite',
  {
    rerequested: (payload, appId) =>
      readRepositoryEvent('check_suite', suiteShape, payload, (body, repository) => {
        const { head_sha: headSha } = body.check_suite;
        return (
          notOurs('check_suite', body.check_suite.app?.id, appId) ??
          byBot('check_suite', body.sender) ??
          event({ kind: 'rerun-suite', repository, headSha, sender: body.sender })
        );
      }),
  },
  {
    requested: 'pushes and pull requests start pipelines, not the suites that GitHub makes for them',
    completed: 'Penstock reports its own check runs',
  },
);
