import type { Service, Task } from '@aws-sdk/client-ecs';
import { orUnasked, type Asking, type Told } from './asking.ts';

const slackMs = 60_000;
/** DescribeTasks takes a hundred; the newest tell enough. */
const mostTasks = 20;

/** Why the service did not become steady: its deployment, its events, and why the first of its tasks stopped. */
export async function tellService(asking: Asking): Promise<Told> {
  const { ClusterName: cluster, ServiceName: name } = asking.configuration;
  if (cluster === undefined || name === undefined) return {};
  const { services = [] } = await asking.call('ecs', 'ecs:DescribeServices', `service/${cluster}/${name}`, (api) =>
    api.describeServices({ cluster, services: [name] }),
  );
  const [service] = services;
  if (!service) return {};
  const messages = messagesSince(service, asking.from.getTime() - slackMs);
  const stopped = await orUnasked(stoppedTasks(asking, cluster, messages));
  const [task] = 'answer' in stopped ? stopped.answer : [];
  const said = [task && taskText(task), rolloutText(service), ...messages.filter(isBad).slice(0, 2)];
  return {
    said: said.filter(Boolean).join(' '),
    ...('unasked' in stopped ? { unasked: stopped.unasked } : {}),
  };
}

/** Newest first, as ECS gives them. */
function messagesSince({ events = [] }: Service, since: number): readonly string[] {
  return events.flatMap(({ createdAt, message }) =>
    message !== undefined && (createdAt?.getTime() ?? 0) >= since ? [message] : [],
  );
}

/** The events name the tasks, so that none has to be listed: that would be a right on every cluster. */
async function stoppedTasks(asking: Asking, cluster: string, messages: readonly string[]): Promise<readonly Task[]> {
  const ids = messages.flatMap((message) => Array.from(message.matchAll(/\(task ([\w-]+)\)/g), ([, id = '']) => id));
  const tasks = [...new Set(ids)].slice(0, mostTasks);
  if (tasks.length === 0) return [];
  const answer = await asking.call('ecs', 'ecs:DescribeTasks', `task/${cluster}/*`, (api) =>
    api.describeTasks({ cluster, tasks }),
  );
  return (answer.tasks ?? [])
    .filter(({ stoppedReason }) => stoppedReason !== undefined && !stoppedReason.startsWith('Scaling activity'))
    .toSorted((a, b) => (a.stoppedAt?.getTime() ?? 0) - (b.stoppedAt?.getTime() ?? 0));
}

function taskText({ stoppedReason, containers = [] }: Task): string {
  const broken = containers.find(({ exitCode, reason }) => reason !== undefined || (exitCode ?? 0) !== 0);
  const exit = broken?.exitCode === undefined ? '' : ` exit code ${broken.exitCode}`;
  const why = broken?.reason === undefined ? '' : ` ${broken.reason}`;
  return `A task stopped: ${stoppedReason}${broken ? ` (container ${broken.name}:${exit}${why})` : ''}.`;
}

function rolloutText({ deployments = [] }: Service): string | undefined {
  return deployments.find(({ rolloutState }) => rolloutState === 'FAILED')?.rolloutStateReason;
}

function isBad(message: string): boolean {
  return /unable|failed|fail |unhealthy|cannot|error|not found|did not/i.test(message);
}
