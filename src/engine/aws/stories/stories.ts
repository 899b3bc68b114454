import type { ActionExecutionDetail } from '@aws-sdk/client-codepipeline';
import { describeError } from '../../../errors.ts';
import type { Execution } from '../../../pipeline/execution.ts';
import type { Bound, Ground } from '../ground.ts';
import { askingAbout, unaskedFor, type Asking, type Told } from './asking.ts';
import { askBuilds, tellBuild } from './code-build.ts';
import { tellDeployment } from './code-deploy.ts';
import { tellCommands } from './commands.ts';
import { tellService } from './ecs.ts';
import { tellFunction } from './lambda.ts';
import { tellStack } from './cloud-formation.ts';

export type Story = Told & { readonly service: string };

export interface Stories {
  /** By action execution. */
  readonly told: Readonly<Record<string, Story>>;
  /** A service was busy or away: asking again in a moment may tell more. */
  readonly missed: boolean;
}

/**
 * What the services behind ended actions say: CodePipeline tells little more than that an action failed (CP-F-17).
 * Each is asked once. What cannot be asked is told without, with the right that is missing: a story must not keep a
 * failure from being shown.
 */
export async function tellStories(
  ground: Ground,
  bound: Bound,
  actions: readonly ActionExecutionDetail[],
  prior: Execution,
): Promise<Stories> {
  const runs = prior.stages.flatMap((stage) => [...stage.actions, ...(stage.earlier ?? [])]);
  const known = new Set(runs.filter((run) => run.story).map((run) => run.id as string));
  const open = actions.filter((action) => !known.has(action.actionExecutionId ?? '') && isToBeTold(action));
  const askings = open.map((action) => askingAbout(ground, bound, action));
  const tellers = tellersFor(askings);
  const told: Record<string, Story> = {};
  let missed = false;
  for (const asking of askings) {
    const service = asking.detail.input?.actionTypeId?.provider ?? '';
    try {
      const story = await tellOne(tellers[service], asking);
      told[asking.detail.actionExecutionId ?? ''] = masked({ service, ...story }, ground.mask);
    } catch (error) {
      missed = true;
      ground.log.warn(
        { execution: prior.id, service, error: describeError(error) },
        'a failure could not be explained',
      );
    }
  }
  return { told, missed };
}

type Teller = (asking: Asking) => Promise<Told>;

function tellersFor(askings: readonly Asking[]): Readonly<Record<string, Teller>> {
  const builds = askBuilds(askings);
  return {
    CodeBuild: (asking) => tellBuild(asking, builds),
    Commands: tellCommands,
    CloudFormation: tellStack,
    CodeDeploy: tellDeployment,
    CodeDeployToECS: tellDeployment,
    ECS: tellService,
    Lambda: tellFunction,
  };
}

const explained: ReadonlySet<string | undefined> = new Set(Object.keys(tellersFor([])));

/** Failures, and every build: what its tests counted is news when it is good too. */
function isToBeTold({ status, input, actionExecutionId }: ActionExecutionDetail): boolean {
  const { provider, owner } = input?.actionTypeId ?? {};
  if (actionExecutionId === undefined || owner !== 'AWS' || !explained.has(provider)) return false;
  return status === 'Failed' || (status === 'Succeeded' && provider === 'CodeBuild');
}

async function tellOne(teller: Teller | undefined, asking: Asking): Promise<Told> {
  const elsewhere = accountOf(asking.detail.input?.roleArn);
  const { account } = asking.there;
  if (elsewhere !== undefined && elsewhere !== account)
    return { unasked: `It ran in the account ${elsewhere}; Penstock's role reads only ${account}.` };
  try {
    return (await teller?.(asking)) ?? {};
  } catch (error) {
    return { unasked: unaskedFor(error) };
  }
}

function accountOf(roleArn: string | undefined): string | undefined {
  return roleArn?.split(':')[4];
}

const mostSaid = 1000;
const mostLines = 50;

/** Services repeat what scripts printed, secrets too (SEC-T-14). */
function masked({ said, lines, reports, ...rest }: Story, mask: (text: string) => string): Story {
  return {
    ...rest,
    ...(said ? { said: mask(said).slice(0, mostSaid) } : {}),
    ...(lines?.length ? { lines: mask(lines.join('\n')).split('\n').slice(-mostLines) } : {}),
    ...(reports?.length
      ? {
          reports: reports.map((report) => ({
            ...report,
            failures: report.failures.map(({ name, message }) => ({ name: mask(name), message: mask(message) })),
          })),
        }
      : {}),
  };
}
