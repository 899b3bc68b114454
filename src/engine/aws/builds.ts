import type { Build } from '@aws-sdk/client-codebuild';
import type { ActionExecutionDetail } from '@aws-sdk/client-codepipeline';
import { describeError } from '../../errors.ts';
import type { Execution } from '../../pipeline/execution.ts';
import { callAws } from './call-errors.ts';
import type { Bound, Ground } from './ground.ts';
import type { BuildStory } from './observe-action.ts';

/** CodeBuild's limit for one BatchGetBuilds. */
const mostBuilds = 100;

/**
 * What CodeBuild says of the builds of failed actions, by build id: CodePipeline tells only that they failed (CP-F-17).
 * A build that cannot be asked for is told without its story: that must not keep the failure from being shown.
 */
export async function buildStories(
  ground: Ground,
  { target, subject }: Bound,
  actions: readonly ActionExecutionDetail[],
  prior: Execution,
): Promise<Readonly<Record<string, BuildStory>>> {
  const stories: Record<string, BuildStory> = {};
  for (const [region, ids] of byRegion(actions, target.region)) {
    const there = { ...target, region };
    for (let at = 0; at < ids.length; at += mostBuilds) {
      try {
        const asked = { ids: ids.slice(at, at + mostBuilds) };
        const call = async () => (await ground.clients.codeBuild(there, subject)).batchGetBuilds(asked);
        const { builds = [] } = await callAws(there, 'BatchGetBuilds', call);
        for (const build of builds) if (build.id !== undefined) stories[build.id] = storyOf(build, region);
      } catch (error) {
        ground.log.warn({ execution: prior.id, error: describeError(error) }, 'builds could not be asked for');
      }
    }
  }
  return stories;
}

function byRegion(actions: readonly ActionExecutionDetail[], usual: string): ReadonlyMap<string, string[]> {
  const regions = new Map<string, string[]>();
  for (const { status, input, output } of actions) {
    const id = output?.executionResult?.externalExecutionId;
    if (input?.actionTypeId?.provider !== 'CodeBuild' || status !== 'Failed' || id === undefined) continue;
    const region = input.region ?? usual;
    regions.set(region, [...(regions.get(region) ?? []), id]);
  }
  return regions;
}

const goodPhases: ReadonlySet<string | undefined> = new Set(['SUCCEEDED', undefined]);

/** The first phase that failed, with CodeBuild's own words for it. */
export function storyOf({ phases = [], logs }: Build, region: string): BuildStory {
  const failed = phases.find((phase) => !goodPhases.has(phase.phaseStatus));
  const said = (failed?.contexts ?? []).flatMap(({ statusCode, message }) =>
    message ? [statusCode ? `${statusCode}: ${message}` : message] : [],
  );
  const failure =
    failed && `Phase ${failed.phaseType} ${failed.phaseStatus}${said.length > 0 ? `: ${said.join('; ')}` : ''}`;
  return {
    ...(failure === undefined ? {} : { failure: failure.slice(0, 1000) }),
    ...(logs?.deepLink ? { logUrl: logs.deepLink } : {}),
    ...(logs?.groupName && logs.streamName ? { log: { region, group: logs.groupName, stream: logs.streamName } } : {}),
  };
}
