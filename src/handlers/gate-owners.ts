import { ownedFiles, parseCodeowners } from '../commands/codeowners.ts';
import type { OwnedFiles } from '../commands/gate.ts';
import type { Approvers, GatePolicy } from '../commands/gate-policy.ts';
import { repositoryConfigPath } from '../config/repository.ts';
import type { PipelineConfig } from '../config/repository-types.ts';
import type { Deps } from '../deps.ts';
import { UserError } from '../errors.ts';
import type { ExecutionContext } from '../engine/engine.ts';
import type { ChangedFiles, PullRequest, RepositoryRef } from '../github/github.ts';

type Owners = Pick<ExecutionContext, 'owners' | 'skippedOwnerLines'>;
type Gates = Readonly<Record<string, GatePolicy>>;

/** Where GitHub looks; the first one found counts. */
const places = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'];

/** Files of one set of owners, and skipped lines, that are named to people; further files are counted. */
const namedFiles = 20;

/** Which files of a change have owners, asked once when its execution starts and only when some gate needs it. */
export async function gatherOwners(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  change: { readonly gates: Gates; readonly configSha: string; readonly files: () => Promise<ChangedFiles> },
): Promise<Owners> {
  if (!Object.values(change.gates).some((policy) => asksOwners(policy.from))) return {};
  try {
    const text = await readCodeowners(deps, repository, change.configSha);
    if (text === null) return { owners: [] };
    const { paths, truncated } = await change.files();
    if (truncated) return { owners: 'unknown' };
    const { rules, skipped } = parseCodeowners(text);
    const owners = ownedFiles(rules, paths).map(shortened);
    return { owners, ...(skipped.length === 0 ? {} : { skippedOwnerLines: skipped.slice(0, namedFiles) }) };
  } catch (error) {
    if (error instanceof UserError) return { owners: 'unknown' };
    throw error;
  }
}

/** Of exactly this head. GitHub compares up to 300 files; its longer list is of whatever the head is by then. */
export async function filesOfPullRequest(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  pullRequest: PullRequest,
): Promise<ChangedFiles> {
  const { baseSha, headSha, number } = pullRequest;
  const compared = await deps.github.changedFiles(repository, { kind: 'commits', before: baseSha, after: headSha });
  if (!compared.truncated) return compared;
  const listed = await deps.github.changedFiles(repository, { kind: 'pull-request', number });
  const now = await deps.github.pullRequest(repository, number);
  return now?.headSha === headSha ? listed : { paths: [], truncated: true };
}

const filesByPullRequest = new WeakMap<PullRequest, Promise<ChangedFiles>>();

/** The same, once for all pipelines that one look at a pull request starts. */
export function filesOnce(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  pullRequest: PullRequest,
): Promise<ChangedFiles> {
  const known = filesByPullRequest.get(pullRequest) ?? filesOfPullRequest(deps, repository, pullRequest);
  filesByPullRequest.set(pullRequest, known);
  return known;
}

/** Which of the changed files say what runs or who decides: people are told that those of the base hold (SEC-C-07). */
export async function ruleChanges(
  definition: PipelineConfig['definition'],
  files: () => Promise<ChangedFiles>,
): Promise<readonly string[]> {
  const declared = definition.kind === 'file' ? [definition.path.replace(/^\.\//, '')] : [];
  try {
    const { paths } = await files();
    return [repositoryConfigPath, ...declared, ...places].filter((path) => paths.includes(path));
  } catch (error) {
    // Nobody decides by it.
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** All groups of a policy, its own first. */
export function groupsOf(from: Approvers): readonly Approvers[] {
  return [from, ...from.anyOf.flatMap(groupsOf), ...from.allOf.flatMap(groupsOf)];
}

function asksOwners(from: Approvers): boolean {
  return groupsOf(from).some((group) => group.codeowners);
}

async function readCodeowners(
  deps: Pick<Deps, 'github'>,
  repository: RepositoryRef,
  sha: string,
): Promise<string | null> {
  for (const path of places) {
    const text = await deps.github.readFile(repository, path, sha);
    if (text !== null) return text;
  }
  return null;
}

function shortened({ owners, files }: OwnedFiles): OwnedFiles {
  const more = files.length - namedFiles;
  return more > 0 ? { owners, files: files.slice(0, namedFiles), more } : { owners, files };
}
