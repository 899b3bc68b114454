// What reading a hostile comment costs, and how it grows up to GitHub's limit of 64 KiB. Prints one line of JSON.
// Linear means that twice the text takes twice the time: `growth` is that factor, over the three doublings.
import { parseComment } from '../src/commands/parse-comment.ts';

/** Pieces that make Markdown parsers slow when they are repeated, each with a command above so that it is read at all. */
const shapes: Readonly<Record<string, string>> = {
  words: 'some polite words ',
  backticks: '`` a ` b ',
  ticksOpen: '`',
  brackets: '[',
  images: '![a](',
  links: '[a](b) ',
  definitions: '[a]: b\n',
  emphasis: '*a _b ',
  quotes: '> ',
  quotedLines: '> a\n',
  quotesAndBreaks: '> a\n\n',
  lists: '- a\n',
  nestedLists: '- ',
  numbers: '1. a\n',
  fences: '```\n',
  tildes: '~~~ a\n',
  html: '<a href="',
  comments: '<!-- ',
  details: '<details>\n\n',
  autolinks: '<https://a>',
  entities: '&#47;',
  escapes: '\\`',
  tables: '| a | b |\n| --- | --- |\n',
  underlines: 'a\n===\n',
  commands: '/approve\n',
  nearMisses: '/aprove x\n',
  tabs: '\t',
  invisible: '\u200B/',
  carriage: 'a\r',
};

const sizes = [8_192, 16_384, 32_768, 65_536] as const;

function bodyOf(piece: string, size: number): string {
  const head = '/approve\n\n';
  return head + piece.repeat(Math.ceil(size / piece.length)).slice(0, size - head.length);
}

/** Milliseconds of the processor, the best of some rounds: what else the machine does only ever adds. */
function cost(body: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round += 1) {
    const begun = process.cpuUsage();
    parseComment(body, { bare: true });
    best = Math.min(best, process.cpuUsage(begun).user / 1000);
  }
  return best;
}

const measured = Object.entries(shapes).map(([name, piece]) => {
  const ms = sizes.map((size) => cost(bodyOf(piece, size)));
  const growth = ((ms.at(-1) ?? 0) / Math.max(ms[0] ?? 0, 1)) ** (1 / (sizes.length - 1));
  return { name, ms: ms.map((one) => Math.round(one * 100) / 100), growth: Math.round(growth * 100) / 100 };
});
const slowest = measured.toSorted((a, b) => (b.ms.at(-1) ?? 0) - (a.ms.at(-1) ?? 0));

console.log(
  JSON.stringify({
    bench: 'comments',
    characters: sizes,
    slowestMs: slowest[0]?.ms.at(-1),
    worstGrowth: Math.max(...measured.map(({ growth }) => growth)),
    slowest: slowest.slice(0, 8),
  }),
);
