import { tell } from '../events.ts';
import { zeroSha } from '../git.ts';
import { mergeGroupPayload } from '../payloads/merge-group.ts';
import { refuseUnlessChecksPass } from '../protection.ts';
import { announcePush, branchHead, tellPull, writeRef } from '../refs.ts';
import type { Site } from '../site.ts';
import { fullName, type Account, type MergeGroup } from '../state.ts';
import { ensureAccount } from '../people.ts';
import { accountNamed, pullNumbered, repositoryNamed } from './people.ts';
import { finishMerge, mergeCommit } from './pull-requests.ts';

export interface MergeGroupView {
  readonly headSha: string;
  /** refs/heads/gh-readonly-queue/… */
  readonly headRef: string;
  readonly baseSha: string;
  readonly baseRef: string;
}

export interface MergeQueueControl {
  enterMergeQueue(repository: string, number: number, by: string): Promise<MergeGroupView>;
  /** `merged` needs the required checks on the group's head; it also moves the base branch and closes the pull request. */
  destroyMergeGroup(repository: string, headRef: string, reason: 'merged' | 'invalidated' | 'dequeued'): Promise<void>;
}

/** GitHub acts by itself in the queue. */
function queueBot(site: Site): Account {
  return ensureAccount(site, 'github-merge-queue[bot]', 'Bot');
}

export function mergeQueueControl(site: Site): MergeQueueControl {
  return {
    async enterMergeQueue(repository, number, by) {
      const pull = pullNumbered(site, repository, number);
      const bot = queueBot(site);
      const baseSha = branchHead(pull.repository, pull.base.ref);
      const headSha = await mergeCommit(site, pull, accountNamed(site, by), 'merge');
      const headRef = `refs/heads/gh-readonly-queue/${pull.base.ref}/pr-${number}-${baseSha}`;
      const group: MergeGroup = {
        repository: pull.repository,
        pullRequest: pull,
        headSha,
        headRef,
        baseSha,
        baseRef: `refs/heads/${pull.base.ref}`,
      };
      site.state.mergeGroups.set(`${fullName(pull.repository)} ${headRef}`, group);
      await writeRef(pull.repository, headRef, headSha);
      await tellPull(site, pull, 'enqueued', accountNamed(site, by));
      await announcePush(site, pull.repository, headRef, zeroSha, headSha, bot);
      await tellGroup(site, group, { action: 'checks_requested' });
      return { headSha, headRef, baseSha, baseRef: group.baseRef };
    },
    async destroyMergeGroup(repository, headRef, reason) {
      const found = repositoryNamed(site, repository);
      const group = site.state.mergeGroups.get(`${fullName(found)} ${headRef}`);
      if (group === undefined) throw new Error(`no merge group ${headRef}: enterMergeQueue first`);
      const bot = queueBot(site);
      if (reason === 'merged') refuseUnlessChecksPass(site, group.pullRequest, group.headSha);
      site.state.mergeGroups.delete(`${fullName(found)} ${headRef}`);
      if (reason === 'merged') await finishMerge(site, group.pullRequest, bot, group.headSha);
      await tellGroup(site, group, { action: 'destroyed', reason });
      if (reason !== 'merged') await tellPull(site, group.pullRequest, 'dequeued', bot, { reason: dequeued[reason] });
      await writeRef(found, headRef, null);
      await announcePush(site, found, headRef, group.headSha, zeroSha, bot);
    },
  };
}

const dequeued = { invalidated: 'CI_FAILURE', dequeued: 'MANUAL' } as const;

async function tellGroup(site: Site, group: MergeGroup, own: Readonly<Record<string, unknown>>): Promise<void> {
  await tell(site, group.repository, 'merge_group', queueBot(site), async () => ({
    ...own,
    merge_group: await mergeGroupPayload(group),
  }));
}
