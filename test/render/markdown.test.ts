import * as fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import type { Nodes } from 'mdast';
import { describe, expect, it } from 'vitest';
import { code, cutEnd, fenced, link, prose, table, visible, ticked } from '../../src/render/markdown.ts';

const nasty = [
  '@acme/all', '\\@bob', '&#64;bob', '&commat;bob', '#123', 'GH-1', 'acme/web#9', '1f0c9c0a6d9f', 'https://evil.example',
  'www.evil.example', '<script>', '<img src=//x>', '![](https://x)', '[a](javascript:x)', '</details>', '```', '`', '~~~',
  '|', '**', '__', '# ', '- ', '1. ', '$x$', '\u001B[31m', '\u001B]8;;https://x\u0007y', '\u202E', '\u200B', '\0', '\uD800',
  '\r', '\n', '\n\n', '/approve', '\n/approve', '<!--', '-->', '&lt;', '\\', ' ', 'text',
]; // prettier-ignore

const hostile = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...nasty) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

function nodesOf(markdown: string): readonly Nodes[] {
  const all: Nodes[] = [];
  const open: Nodes[] = [fromMarkdown(markdown)];
  for (let node = open.pop(); node; node = open.pop()) {
    all.push(node);
    if ('children' in node) open.push(...node.children.toReversed());
  }
  return all;
}

function types(markdown: string): readonly string[] {
  return [...new Set(nodesOf(markdown).map((node) => node.type))].toSorted();
}

/** Text that GitHub would look through for mentions, references and addresses: everything outside of code. */
function plainText(markdown: string): string {
  return nodesOf(markdown)
    .map((node) => (node.type === 'text' ? node.value : ''))
    .join('\n');
}

describe('texts of others in running text (SEC-D-05, D-08, D-10)', () => {
  it('are text and nothing else: no mention, no reference, no address, no markup', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const markdown = `Reason: ${prose(text)}`;
        expect(types(markdown)).toEqual(['paragraph', 'root', 'text']);
        expect(markdown).not.toContain('\n');
        const shown = plainText(markdown);
        expect(shown).not.toMatch(/@[A-Za-z0-9]/);
        expect(shown).not.toMatch(/#\d|\bGH-\d/i);
        expect(shown).not.toMatch(/:\/\/|\bwww\./i);
      }),
    );
  });

  it.each([
    ['plain words stay as they are, decades and facades too', 'plain words stay as they are, decades and facades too'],
    ['@acme/all', '@\u2060acme/all'],
    ['&#64;bob', '&#38;#\u206064;bob'],
    ['see #12', 'see #\u206012'],
    ['a | b', 'a &#124; b'],
    ['<b>', '&#60;b&#62;'],
    ['1. one', '&#49;. one'],
    ['- a', '&#45; a'],
    ['fixed in 1f0c9c0a6d9f', 'fixed in 1f0\u2060c9c0a6d9f'],
    ['two\r\nlines', 'two lines'],
    ['\u001B[31mred\u001B[0m', 'red'],
    ['left\u202Eright', 'left&#60;U+202E&#62;right'],
  ])('%j becomes %j', (text, expected) => {
    expect(prose(text)).toBe(expected);
  });
});

describe('texts of others as inline code', () => {
  it.each([
    '$(id)',
    '`id`',
    ';id;',
    '${IFS}x',
    'a&&b',
    `x'y"z`,
    '--upload-pack=x',
    '-x',
    '@',
    'feature/@acme-all',
    '<img>',
  ])('SEC-D-01 the name %j, which git allows for a branch, is shown as it is and is nothing else', (name) => {
    const [paragraph] = fromMarkdown(code(name)).children;
    expect(paragraph).toMatchObject({ children: [{ type: 'inlineCode', value: name }] });
    expect(types(`From ${prose(name)}`)).toEqual(['paragraph', 'root', 'text']);
  });

  it('are one code span that holds them, whatever back-ticks they have', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const markdown = `Name: ${code(text)}.`;
        expect(types(markdown)).toEqual(['inlineCode', 'paragraph', 'root', 'text']);
        expect(plainText(markdown).replaceAll('\n', '')).toBe('Name: .');
        expect(markdown).not.toMatch(/[\n|]/);
      }),
    );
  });

  it.each([
    ['main', '`main`'],
    ['a`b', '``a`b``'],
    ['`a`', '`` `a` ``'],
    ['', '` `'],
    ['a|b', '`a\uFF5Cb`'],
  ])('%j becomes %j', (text, expected) => {
    expect(code(text)).toBe(expected);
  });
});

describe('sentences of ours with words of others between back-ticks (SEC-D-05)', () => {
  it('show those as code and the rest as text, whatever the words hold', () => {
    expect(ticked('target branch `main` matches `ma*`, @all')).toBe('target branch `main` matches `ma*`, @\u2060all');
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 5 }), (parts) => {
        const kinds = types(`So: ${ticked(parts.join('`'))}`).filter((type) => type !== 'inlineCode');
        expect(kinds).toEqual(['paragraph', 'root', 'text']);
      }),
    );
  });
});

describe('logs in a fence (SEC-D-04, SEC-D-06)', () => {
  it('read back as exactly the lines that were put in', () => {
    const lines = fc.array(hostile, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(lines, (log) => {
        const [block, ...more] = fromMarkdown(fenced(log)).children;
        expect(more).toEqual([]);
        // The parser itself turns a carriage return into a line end; ours are gone before.
        expect(block).toMatchObject({ type: 'code', value: log.map(visible).join('\n') });
      }),
    );
  });

  it('use a fence longer than any in them', () => {
    expect(fenced(['````', 'x'])).toBe('`````\n````\nx\n`````');
    expect(fenced(['~~~', 'x'])).toBe('```\n~~~\nx\n```');
  });
});

describe('small parts', () => {
  it('invisible characters show themselves, emoji stay whole', () => {
    expect(visible('a\u200Bb\u0000c')).toBe('a<U+200B>b<U+0000>c');
    expect(visible('👩‍💻')).toBe('👩‍💻');
    expect(visible('\u001B]8;;https://x\u0007link\u001B]8;;\u0007')).toBe('link');
  });

  it('a cut never leaves half a character (SEC-D-07)', () => {
    expect(cutEnd('abc😀', 5)).toBe('abc😀');
    expect(cutEnd('abc😀d', 5)).toBe('abc…');
    expect(cutEnd('abc', 3)).toBe('abc');
  });

  it('a table has its head, its line and its rows', () => {
    expect(table(['A', 'B'], [['1', '2']])).toBe('| A | B |\n| --- | --- |\n| 1 | 2 |');
  });

  it('a link cannot be left', () => {
    const [paragraph] = fromMarkdown(link('Details', 'https://x.example/a>)[b](c')).children;
    expect(paragraph).toMatchObject({ children: [{ type: 'link', url: 'https://x.example/a%3E)[b](c' }] });
  });
});

it('shows an ARN, an action and a command in a sentence as code to copy, and nothing else works', () => {
  const text =
    'The role arn:aws:iam::111122223333:role/penstock lacks ecs:DescribeTasks on arn:aws:ecs:eu-west-1:111122223333:task/prod/*. `penstock iam-policy` tells @all more, at https://x.example.';
  const shown = ticked(text);
  expect(shown).toContain('The role `arn:aws:iam::111122223333:role/penstock` lacks `ecs:DescribeTasks` on ');
  expect(shown).toContain('`arn:aws:ecs:eu-west-1:111122223333:task/prod/*`. `penstock iam-policy` tells');
  expect(shown).not.toMatch(/@all|https:\/\//);
  expect(ticked('`a``b`')).toBe('`a` `b`');
  expect(ticked('an odd ` back-tick')).not.toContain('`');
});
