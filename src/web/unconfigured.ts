/** What a start without credentials says: nothing is wrong, and there are two ways to go on. */
export function unconfiguredMessage(setupUrl: string): string {
  return [
    'Penstock has no GitHub App yet, so it waits.',
    '',
    'To see what it does first, without an account and without AWS:',
    '  npm run demo',
    '',
    'To register its App on GitHub, open this link (it is for you only):',
    `  ${setupUrl}`,
    '',
    'GitHub has to reach this server: set PUBLIC_URL to its public address before you register.',
    'To use an App that exists, set APP_ID, PRIVATE_KEY_PATH and WEBHOOK_SECRET instead (docs/configuration.md).',
  ].join('\n');
}
