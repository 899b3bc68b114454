/** What the App asks about itself, and the tokens that it mints. */
import { ApiError, invalid, notFound } from '../api-error.ts';
import { covers, holds, issueToken, reaches } from '../auth.ts';
import { installationOf } from '../events.ts';
import { appPayload } from '../payloads/account.ts';
import { installationPayload } from '../payloads/installation.ts';
import { repositoryPayload } from '../payloads/repository.ts';
import { perHour } from '../rate.ts';
import { created, listAnswer, numberParameter, ok, repositoryOf, type Call, type Route } from '../route.ts';
import type { Site } from '../site.ts';
import type { Installation, Repository } from '../state.ts';

export const appRoutes: readonly Route[] = [
  {
    operation: 'GET /app',
    needs: 'app',
    answer: ({ site }) => ok({ ...appPayload(site), installations_count: site.state.installations.size }),
  },
  {
    operation: 'GET /app/installations',
    needs: 'app',
    answer: (call) =>
      listAnswer(call, [...call.site.state.installations.values()], (one) => installationPayload(call.site, one)),
  },
  {
    operation: 'GET /app/installations/{installation_id}',
    needs: 'app',
    answer: (call) => ok(installationPayload(call.site, installationOfCall(call))),
  },
  { operation: 'POST /app/installations/{installation_id}/access_tokens', needs: 'app', answer: mintToken },
  {
    operation: 'GET /repos/{owner}/{repo}/installation',
    needs: 'app',
    answer(call) {
      const installation = installationOf(call.site, repositoryOf(call));
      if (installation === null) throw notFound();
      return ok(installationPayload(call.site, installation));
    },
  },
  { operation: 'GET /installation/repositories', needs: 'installation', answer: listRepositories },
  { operation: 'GET /rate_limit', needs: 'app or installation', answer: rateLimit },
];

function installationOfCall(call: Call): Installation {
  const installation = call.site.state.installations.get(numberParameter(call, 'installation_id'));
  if (installation === undefined) throw notFound();
  return installation;
}

function mintToken(call: Call) {
  const { site } = call;
  const installation = installationOfCall(call);
  if (installation.suspendedAt !== null) throw new ApiError(403, 'This installation has been suspended');
  const repositories = askedRepositories(call, installation);
  const token = issueToken(site, installation, repositories, askedPermissions(call));
  const listed = repositories === null ? {} : { repositories: listedRepositories(site, repositories) };
  return created({
    token: token.value,
    expires_at: token.expiresAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    permissions: token.permissions,
    repository_selection: repositories === null && installation.repositories === null ? 'all' : 'selected',
    ...listed,
  });
}

function listedRepositories(site: Site, ids: ReadonlySet<number>): unknown[] {
  return [...site.state.repositories.values()]
    .filter(({ id }) => ids.has(id))
    .map((one) => repositoryPayload(site, one));
}

const mostRepositories = 500;

function askedRepositories(call: Call, installation: Installation): ReadonlySet<number> | null {
  const ids = call.body['repository_ids'];
  const names = call.body['repositories'];
  if (ids === undefined && names === undefined) return null;
  const wanted = [...asList(ids), ...asList(names)];
  if (wanted.length > mostRepositories) throw invalid(`At most ${mostRepositories} repositories can be named`);
  return new Set(wanted.map((one) => installed(call.site, installation, one).id));
}

function asList(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid('Invalid request.');
  return value;
}

function installed(site: Site, installation: Installation, idOrName: unknown): Repository {
  for (const repository of site.state.repositories.values()) {
    const named = repository.id === idOrName || repository.name === idOrName;
    if (named && covers(installation, repository)) return repository;
  }
  throw invalid(
    'There is at least one repository that does not exist or is not accessible to the parent installation.',
  );
}

/** Without a wish, all that the App holds. Metadata comes with every token. */
function askedPermissions(call: Call): Readonly<Record<string, string>> {
  const held = call.site.app.permissions;
  const asked = call.body['permissions'];
  if (asked === undefined) return held;
  const wish = asked as Readonly<Record<string, string>>;
  for (const [permission, level] of Object.entries(wish)) {
    if (!holds(held, `${permission}:${level}`)) {
      throw invalid('The permissions requested are not granted to this installation.');
    }
  }
  return { metadata: 'read', ...wish };
}

function listRepositories(call: Call) {
  const { caller, site } = call;
  if (caller.kind !== 'installation') throw notFound();
  const reached = [...site.state.repositories.values()].filter((repository) => reaches(caller.token, repository));
  return listAnswer(
    call,
    reached,
    (repository) => repositoryPayload(site, repository),
    (page) => ({
      total_count: reached.length,
      repository_selection: caller.token.installation.repositories === null ? 'all' : 'selected',
      repositories: page,
    }),
  );
}

/** Asking costs nothing on GitHub; the secondary limits cannot be asked for. */
function rateLimit({ caller, site }: Call) {
  const used = caller.kind === 'installation' ? caller.token.used : 0;
  const reset = Math.floor(site.now().getTime() / 1000) + 3600;
  const core = { limit: perHour, used, remaining: Math.max(0, perHour - used), reset };
  return ok({ resources: { core, search: { limit: 30, used: 0, remaining: 30, reset } }, rate: core });
}
