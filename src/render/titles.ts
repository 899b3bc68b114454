import { cutEnd, visible } from './markdown.ts';

/** What fits beside the name in a pull request's merge box. */
const maxTitle = 60;

/** `lead` and as much of `rest` as fits. Titles are plain text: no Markdown is read in them. */
export function title(lead: string, rest = ''): string {
  return cutEnd(visible(`${lead}${rest}`.replaceAll(/\s+/g, ' ')).trim(), maxTitle);
}

/** The first of several wordings that fits, else the last one, cut. */
export function fittingTitle(...wordings: readonly string[]): string {
  return wordings.find((wording) => wording.length <= maxTitle) ?? title(wordings.at(-1) ?? '');
}
