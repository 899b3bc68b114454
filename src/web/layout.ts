import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { style } from './style.ts';

export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>;

export interface Page {
  readonly title: string;
  readonly main: Markup;
  readonly script?: string;
  /** What the script compares to see whether the page is still true. */
  readonly state?: string;
}

export async function layout(page: Page): Promise<string> {
  // The policy names the digests of these texts: not one space may be added to them.
  const styled = raw(`<style>${style}</style>`);
  const scripted = page.script === undefined ? '' : raw(`<script type="module">${page.script}</script>`);
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${page.title}</title>
        ${styled}
      </head>
      <body>
        <main data-state="${page.state ?? ''}">${page.main}</main>
        ${scripted}
      </body>
    </html> `;
  return (await document).toString();
}
