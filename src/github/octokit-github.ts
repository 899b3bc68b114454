import { appVerbs } from './app-verbs.ts';
import { checkVerbs } from './checks.ts';
import { createClient } from './client.ts';
import type { ClientOptions } from './client.ts';
import { commentVerbs } from './comments.ts';
import { authorVerbs } from './commit-authors.ts';
import { fileVerbs } from './files.ts';
import type { GitHub } from './github.ts';
import { peopleVerbs } from './people.ts';
import { pullVerbs } from './pulls.ts';

export type GitHubOptions = ClientOptions;

/**
 * GitHub over REST. Every token is minted for one repository with the permissions of one family of verbs; writes keep
 * our own pace; nothing is repeated in here except after reading back: TransientError says when the queue may try again.
 */
export function createGitHub(options: GitHubOptions): GitHub {
  const client = createClient(options);
  return {
    ...fileVerbs(client),
    ...pullVerbs(client),
    ...authorVerbs(client),
    ...peopleVerbs(client),
    ...checkVerbs(client),
    ...commentVerbs(client),
    ...appVerbs(client),
  };
}
