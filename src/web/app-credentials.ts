import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { TransientError, UserError } from '../errors.ts';

/** What GitHub gives back, once, for the code of a registered manifest. */
const conversion = z.object({
  id: z.int().positive(),
  slug: z.string(),
  html_url: z.url({ protocol: /^https?$/ }),
  pem: z.string().startsWith('-----BEGIN'),
  webhook_secret: z.string().min(32),
});

export type AppCredentials = z.infer<typeof conversion>;

/** `POST /app-manifests/{code}/conversions`: works once for each code, within an hour. */
export async function convertCode(githubUrl: string, code: string): Promise<AppCredentials> {
  const answer = await askGitHub(`${githubUrl}/app-manifests/${encodeURIComponent(code)}/conversions`);
  if (answer.status === 404) {
    throw new UserError('GitHub does not know this code: it works once, within an hour. Open /setup again.');
  }
  if (!answer.ok) throw new TransientError(`GitHub answered ${answer.status} to the code of the new App`);
  const read = conversion.safeParse(await answer.json());
  // The answer holds secrets, so nothing of it may stand in the message.
  if (!read.success) throw new UserError('GitHub answered without the credentials of the App. Open /setup again.');
  return read.data;
}

async function askGitHub(url: string): Promise<Response> {
  const headers = { accept: 'application/vnd.github+json', 'user-agent': 'penstock' };
  try {
    return await fetch(url, { method: 'POST', headers, redirect: 'error', signal: AbortSignal.timeout(15_000) });
  } catch (cause) {
    throw new TransientError(`${new URL(url).host} cannot be reached`, { cause });
  }
}

/** Writes `<home>/app.pem` and `<home>/app.env`, readable by nobody else, and answers the path of the latter. */
export async function saveCredentials(home: string, app: AppCredentials): Promise<string> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const keyFile = join(home, 'app.pem');
  const envFile = join(home, 'app.env');
  // "wx": an App that is registered already is never overwritten.
  await writeFile(keyFile, app.pem, { mode: 0o600, flag: 'wx' });
  await writeFile(envFile, envText(app, keyFile), { mode: 0o600, flag: 'wx' });
  return envFile;
}

function envText(app: AppCredentials, keyFile: string): string {
  return [
    `# Credentials of the GitHub App ${app.slug} (${app.html_url}).`,
    '# Penstock reads this file at start; variables that are set already win over it.',
    `APP_ID=${app.id}`,
    `PRIVATE_KEY_PATH=${keyFile}`,
    `WEBHOOK_SECRET=${app.webhook_secret}`,
    '',
  ].join('\n');
}
