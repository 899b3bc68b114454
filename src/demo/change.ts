import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';

type Files = Readonly<Record<string, string>>;

/** What the developer of the story pushes, made from the files of the example as they are now. */
export interface Change {
  /** The hours change in the code only, so the example's own test complains. */
  readonly breaking: Commit;
  /** The line of the log that says what is wrong. */
  readonly complaint: string;
  readonly fix: Commit;
  readonly second: Commit;
}

export interface Commit {
  readonly message: string;
  readonly files: Files;
}

const inCode = /(day: 'Sunday', opens: ')([\d:]+)(', closes: ')([\d:]+)(')/;
const onPage = /(<th>Sunday<\/th>\s*<td>)([\d:]+)(<\/td>\s*<td>)([\d:]+)(<\/td>)/;

export async function planChange(example: string): Promise<Change> {
  const [code, page, readme] = await Promise.all(
    ['site/hours.js', 'site/index.html', 'README.md'].map((name) => read(example, name)),
  );
  const sunday = find(inCode, code, 'site/hours.js');
  const shown = find(onPage, page, 'site/index.html');
  const closes = anHourBefore(sunday.closes);
  return {
    breaking: {
      message: `Close at ${closes} on Sundays`,
      files: { 'site/hours.js': code!.replace(inCode, `$1$2$3${closes}$5`) },
    },
    complaint:
      `site/index.html says "Sunday ${shown.opens} to ${shown.closes}", ` +
      `site/hours.js says "Sunday ${sunday.opens} to ${closes}"`,
    fix: {
      message: 'Change the table on the page, too',
      files: { 'site/index.html': page!.replace(onPage, `$1${sunday.opens}$3${closes}$5`) },
    },
    second: {
      message: 'Mention it in the README',
      files: { 'README.md': `${readme!.trimEnd()}\n\nOn Sundays the pool closes at ${closes}.\n` },
    },
  };
}

async function read(example: string, name: string): Promise<string> {
  try {
    return await readFile(join(example, name), 'utf8');
  } catch (error) {
    throw new UserError(
      `The demo needs ${join(example, name)}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function find(pattern: RegExp, text: string | undefined, file: string): { opens: string; closes: string } {
  const found = pattern.exec(text ?? '');
  if (found !== null) return { opens: found[2] ?? '', closes: found[4] ?? '' };
  throw new UserError(
    `The demo changes Sunday's hours, and ${file} of the example has none in the form that it knows. ` +
      `Put the line for Sunday back (git checkout examples/web).`,
  );
}

function anHourBefore(clock: string): string {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number);
  return `${String((hours + 23) % 24).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}
