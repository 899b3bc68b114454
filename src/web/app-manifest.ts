import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { packageRoot } from './package-root.ts';

/** Where GitHub delivers webhooks: src/intake.ts listens there. */
export const webhookPath = '/api/github/webhooks';
export const setupCallbackPath = '/setup/callback';

const manifestFile = z.strictObject({
  name: z.string().min(1).max(34),
  description: z.string().optional(),
  public: z.boolean(),
  hook_attributes: z.strictObject({ url: z.literal(webhookPath), active: z.literal(true) }),
  default_permissions: z.record(z.string(), z.enum(['read', 'write'])),
  default_events: z.array(z.string()),
});

export interface AppManifest extends Omit<z.infer<typeof manifestFile>, 'hook_attributes'> {
  readonly url: string;
  readonly redirect_url: string;
  readonly hook_attributes: { readonly url: string; readonly active: boolean };
}

/** app.yml as GitHub wants it: with whole addresses instead of paths. */
export function readAppManifest(publicUrl: string, file = join(packageRoot(), 'app.yml')): AppManifest {
  const read = manifestFile.safeParse(parse(readFileSync(file, 'utf8')));
  if (!read.success) throw new UserError(`${file} is not the manifest of Penstock: ${z.prettifyError(read.error)}`);
  const { hook_attributes: hook, ...rest } = read.data;
  return {
    ...rest,
    url: publicUrl,
    redirect_url: `${publicUrl}${setupCallbackPath}`,
    hook_attributes: { ...hook, url: `${publicUrl}${hook.url}` },
  };
}

/** The website that belongs to an API address: where people log in and register Apps. */
export function githubWebUrl(apiUrl: string): string {
  const url = new URL(apiUrl);
  if (url.hostname.startsWith('api.')) return `${url.protocol}//${url.host.slice('api.'.length)}`;
  return url.origin;
}
