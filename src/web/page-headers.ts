import { createHash } from 'node:crypto';

export interface PagePolicy {
  /** Texts of the inline style and script of the page. */
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
  /** Origins that a form of the page may be sent to. */
  readonly formTargets?: readonly string[];
}

/**
 * Headers of every page: nothing is loaded from anywhere, nothing runs but what we wrote (SEC-D-10), and the signed
 * address does not leave the page.
 */
export function pageHeaders(policy: PagePolicy): Readonly<Record<string, string>> {
  const directives = [
    "default-src 'none'",
    `style-src ${sources(policy.styles)}`,
    `script-src ${sources(policy.scripts)}`,
    `connect-src ${policy.scripts.length > 0 ? "'self'" : "'none'"}`,
    `form-action ${policy.formTargets?.join(' ') ?? "'none'"}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': directives.join('; '),
    'content-type': 'text/html; charset=utf-8',
    'cross-origin-opener-policy': 'same-origin',
    ...plainHeaders,
  };
}

/** Headers of everything that is no page. */
export const plainHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'private, no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
};

function sources(texts: readonly string[]): string {
  if (texts.length === 0) return "'none'";
  return texts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ');
}
