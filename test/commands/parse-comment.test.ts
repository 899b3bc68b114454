import { describe, expect, it } from 'vitest';
import type { KnownPipelines } from '../../src/commands/names.ts';
import type { ParsedLine } from '../../src/commands/parse-comment.ts';
import { parseComment } from '../../src/commands/parse-comment.ts';

const known: KnownPipelines = {
  web: {
    stages: [
      { name: 'Source', actions: ['Checkout'] },
      { name: 'Test', actions: ['Unit', 'Lint'] },
      { name: 'Release', actions: ['Approve'] },
      { name: 'Deploy', actions: ['Site'] },
    ],
    variables: ['LEVEL', 'NOTE'],
  },
  shop: {
    stages: [
      { name: 'Source', actions: ['Checkout'] },
      { name: 'Deploy', actions: ['Site'] },
    ],
    variables: [],
  },
};

const sha = '1f0c9c0a6d9f5b1e7b0c2d3e4f5061728394a5b6';

function parse(body: string, bare = true): readonly ParsedLine[] {
  return parseComment(body, { bare, known });
}

/** The one command of a comment. */
function command(body: string, bare = true) {
  const lines = parse(body, bare);
  const [line] = lines;
  if (lines.length !== 1 || line?.kind !== 'command') throw new Error(`no single command: ${JSON.stringify(lines)}`);
  return line.command;
}

/** The one problem of a comment. */
function problem(body: string) {
  const lines = parse(body);
  const [line] = lines;
  if (lines.length !== 1 || line?.kind !== 'error') throw new Error(`no single problem: ${JSON.stringify(lines)}`);
  return { problem: line.problem, usage: line.usage };
}

describe('a line that begins with a verb is a command', () => {
  it.each([
    ['/approve', { verb: 'approve', target: {}, reason: '' }],
    ['/penstock approve', { verb: 'approve', target: {}, reason: '' }],
    ['/Approve', { verb: 'approve', target: {}, reason: '' }],
    ['/PENSTOCK RETRY', { verb: 'retry', target: {}, all: false }],
    ['/approve  ', { verb: 'approve', target: {}, reason: '' }],
    ['  /approve', { verb: 'approve', target: {}, reason: '' }],
    ['/approve <!-- added by a tool -->', { verb: 'approve', target: {}, reason: '' }],
    ['/approve wed is fine', { verb: 'approve', target: {}, reason: 'wed is fine' }],
    ['/approve Release', { verb: 'approve', target: { pipeline: 'web', stage: 'Release' }, reason: '' }],
    ['/approve release', { verb: 'approve', target: { pipeline: 'web', stage: 'Release' }, reason: '' }],
    [
      '/approve web/Release/Approve',
      { verb: 'approve', target: { pipeline: 'web', stage: 'Release', action: 'Approve' }, reason: '' },
    ],
    [
      '/approve Release/Approve',
      { verb: 'approve', target: { pipeline: 'web', stage: 'Release', action: 'Approve' }, reason: '' },
    ],
    ['/approve Deploy', { verb: 'approve', target: { stage: 'Deploy' }, reason: '' }],
    [`/approve ${sha}`, { verb: 'approve', target: {}, sha, reason: '' }],
    ['/approve 1F0C9C0', { verb: 'approve', target: {}, sha: '1f0c9c0', reason: '' }],
    ['/approve `1f0c9c0`', { verb: 'approve', target: {}, sha: '1f0c9c0', reason: '' }],
    ['/approve sha=1f0c9c0 reason="two words"', { verb: 'approve', target: {}, sha: '1f0c9c0', reason: 'two words' }],
    [
      "/approve Release 1f0c9c0 it's fine, isn't it?",
      {
        verb: 'approve',
        target: { pipeline: 'web', stage: 'Release' },
        sha: '1f0c9c0',
        reason: "it's fine, isn't it?",
      },
    ],
    ['/approve reason=staging', { verb: 'approve', target: {}, reason: 'staging' }],
    ['/approve "staging"', { verb: 'approve', target: {}, reason: 'staging' }],
    ['/approve LGTM', { verb: 'approve', target: {}, reason: 'LGTM' }],
    ['/reject no', { verb: 'reject', target: {}, reason: 'no' }],
    ['/approve great!', { verb: 'approve', target: {}, reason: 'great!' }],
    ['/approve 1f0c9c0 staging', { verb: 'approve', target: {}, sha: '1f0c9c0', reason: 'staging' }],
    ['/approve Release staging', { verb: 'approve', target: { pipeline: 'web', stage: 'Release' }, reason: 'staging' }],
    ['/approve "checked it"', { verb: 'approve', target: {}, reason: 'checked it' }],
    ['/approve très bien 👩‍💻', { verb: 'approve', target: {}, reason: 'très bien 👩‍💻' }],
    ['/approve ok since a=b now', { verb: 'approve', target: {}, reason: 'ok since a=b now' }],
    [
      '/reject Release the migration locks the table',
      {
        verb: 'reject',
        target: { pipeline: 'web', stage: 'Release' },
        reason: 'the migration locks the table',
      },
    ],
    ['/retry', { verb: 'retry', target: {}, all: false }],
    ['/retry web/Test all', { verb: 'retry', target: { pipeline: 'web', stage: 'Test' }, all: true }],
    ['/retry all', { verb: 'retry', target: {}, all: true }],
    ['/retry "web/Test"', { verb: 'retry', target: { pipeline: 'web', stage: 'Test' }, all: false }],
    ['/rerun web', { verb: 'rerun', target: { pipeline: 'web' } }],
    ['/run web', { verb: 'run', target: { pipeline: 'web' }, variables: [] }],
    [
      '/run web LEVEL=full NOTE="two words"',
      {
        verb: 'run',
        target: { pipeline: 'web' },
        variables: [
          { name: 'LEVEL', value: 'full' },
          { name: 'NOTE', value: 'two words' },
        ],
      },
    ],
    [
      `/run web NOTE='a "b" c'`,
      { verb: 'run', target: { pipeline: 'web' }, variables: [{ name: 'NOTE', value: 'a "b" c' }] },
    ],
    ['/run web NOTE=a\\ b', { verb: 'run', target: { pipeline: 'web' }, variables: [{ name: 'NOTE', value: 'a b' }] }],
    ['/stop', { verb: 'stop', target: {}, abandon: false, reason: '' }],
    [
      '/stop web abandon wrong branch',
      { verb: 'stop', target: { pipeline: 'web' }, abandon: true, reason: 'wrong branch' },
    ],
    ['/rollback web/Deploy', { verb: 'rollback', target: { pipeline: 'web', stage: 'Deploy' } }],
    [
      '/rollback web/Deploy 0F8FAD5B-d9cb-469f-a165-70867728950e',
      {
        verb: 'rollback',
        target: { pipeline: 'web', stage: 'Deploy' },
        execution: '0f8fad5b-d9cb-469f-a165-70867728950e',
      },
    ],
    ['/hold web/Deploy incident', { verb: 'hold', target: { pipeline: 'web', stage: 'Deploy' }, reason: 'incident' }],
    ['/release web/Deploy', { verb: 'release', target: { pipeline: 'web', stage: 'Deploy' }, reason: '' }],
    ['/override web/Deploy', { verb: 'override', target: { pipeline: 'web', stage: 'Deploy' }, reason: '' }],
    [
      '/override web/Deploy entry the alarm is known',
      {
        verb: 'override',
        target: { pipeline: 'web', stage: 'Deploy' },
        condition: 'BEFORE_ENTRY',
        reason: 'the alarm is known',
      },
    ],
    [`/ok-to-test ${sha}`, { verb: 'ok-to-test', sha }],
    ['/ok-to-test', { verb: 'ok-to-test' }],
    ['/status', { verb: 'status', target: {} }],
    ['/why web/Release', { verb: 'why', target: { pipeline: 'web', stage: 'Release' } }],
    ['/plan', { verb: 'plan', target: {} }],
    ['/help', { verb: 'help' }],
    ['/help /retry', { verb: 'help', topic: 'retry' }],
    ['/penstock', { verb: 'help' }],
  ])('%s', (body, expected) => {
    expect(command(body)).toEqual(expected);
  });

  it('stands among other words, in a comment of any line ending, and in its own order', () => {
    const lines = parse('Thanks, this is good!\r\n\r\n/retry web/Test\r\n/approve Release\r\nCheers');
    expect(lines.map((line) => [line.kind, line.line, line.text])).toEqual([
      ['command', 3, '/retry web/Test'],
      ['command', 4, '/approve Release'],
    ]);
  });

  it('counts once when it is written twice', () => {
    expect(parse('/retry\n\n/retry')).toHaveLength(1);
  });

  it('is read as written when no names are known', () => {
    const [line] = parseComment('/approve a/B/c', { bare: true });
    expect(line).toMatchObject({ command: { target: { pipeline: 'a', stage: 'B', action: 'c' } } });
  });

  it('counts beside tildes, dollars and colons that mean nothing', () => {
    for (const beside of ['about ~5 or ~6', '~~no~~', 'a ~~ b', '$5', '[^1] is cited', 'a: b'])
      expect([beside, command(`${beside}\n/approve\n${beside}`)]).toMatchObject([beside, { verb: 'approve' }]);
  });

  it('counts under an underline and above a mail signature too', () => {
    expect(command('/approve\n-- \nBob')).toMatchObject({ verb: 'approve' });
    expect(command('Ship it\n=======\n\n/approve')).toMatchObject({ verb: 'approve' });
  });
});

describe('what is quoted, hidden or code never counts (SEC-B-22)', () => {
  it.each([
    ['a table of one column without strokes', 'a\n:-:\n/approve'],
    ['a footnote that goes on', 'See[^1].\n\n[^1]: note\n/approve'],
    ['a footnote of several words', 'See[^1].\n\n[^1]: a note of words\n/approve'],
    ['struck-out text', '~~Better not:\n/approve\nafter all~~'],
    ['text struck out by one tilde', '~no\n/approve\nno~'],
    ['a formula', '$$\n/approve\n$$'],
    ['a fence', '```\n/approve\n```'],
    ['a fence of tildes', '~~~\n/approve\n~~~'],
    ['a fence that is never closed', '```sh\n/approve'],
    ['an indented block', 'Try:\n\n    /approve'],
    ['a line indented in the middle of a paragraph', 'Try\n    /approve'],
    ['a tab', '\t/approve'],
    ['a quote', '> /approve'],
    ['a quote in a quote', '> > /approve'],
    ['a mail reply', 'On Monday Bob wrote:\n> Please\n> /approve\n> now'],
    ['a code span', '`/approve`'],
    ['a code span over two lines', '`a\n/approve`'],
    ['an HTML comment', '<!-- /approve -->'],
    ['an HTML comment of several lines', '<!--\n/approve\n-->'],
    ['an HTML comment inside a paragraph', 'text <!--\n/approve\n--> text'],
    ['details', '<details>\n\n/approve\n\n</details>'],
    ['details that are never closed', '<details><summary>x</summary>\n\n/approve'],
    ['details in details', '<details>\n\n<details>\n\n</details>\n\n/approve\n\n</details>'],
    ['an HTML quote', '<blockquote>\n\n/approve\n\n</blockquote>'],
    ['preformatted HTML', '<pre>\n\n/approve\n\n</pre>'],
    ['a block of HTML', '<div>\n/approve\n</div>'],
    ['an HTML table', '<table><tr><td>\n\n/approve\n\n</td></tr></table>'],
    ['a link', '[/approve](https://example.org)'],
    ['a link over two lines', '[a\n/approve](https://example.org)'],
    ['an image', '![x\n/approve](https://example.org/x.png)'],
    ['a definition', '[a]:\n/approve'],
    ['a list item', '- /approve'],
    ['a numbered item', '1. /approve'],
    ['a task', '- [ ] /approve'],
    ['a heading', '# /approve'],
    ['a table', '/approve | b\n--- | ---'],
    ['bold text', '**/approve**'],
    ['an escaped slash', '\\/approve'],
    ['an entity', '&#47;approve'],
    ['the middle of a line', 'please /approve'],
    ['a path', '/approve/this'],
    ['a mention', '@penstock approve'],
  ])('%s', (_name, body) => {
    expect(parse(body)).toEqual([]);
  });

  it('a closed block hides nothing after it', () => {
    const hidden = [
      '```\nx\n```',
      '<details>x</details>',
      '<!-- <details> -->',
      '> quote\n',
      '<pre>x</pre>',
      'A Map<String>',
    ];
    for (const block of hidden) expect(command(`${block}\n\n/approve`)).toMatchObject({ verb: 'approve' });
  });

  it('a line that Markdown pulls into the quote or list above is pointed out', () => {
    expect(parse('> quote\n/approve')).toMatchObject([
      { kind: 'near-miss', line: 2, why: 'The line is in a quote: leave an empty line above it.' },
    ]);
    expect(parse('- item\n/approve')).toMatchObject([{ kind: 'near-miss', line: 2 }]);
    expect(parse('> quote\n/lgtm')).toEqual([]);
  });
});

describe('look-alikes and invisible characters never become a command (SEC-B-23)', () => {
  it.each([
    ['full-width slash', '\uFF0Fapprove'],
    ['fraction slash', '\u2044approve'],
    ['zero width space after', '/approve\u200B'],
    ['zero width space inside', '/app\u200Brove'],
    ['zero width joiner inside', '/app\u200Drove'],
    ['byte order mark before', '\uFEFF/approve'],
    ['right-to-left mark before', '\u200F/approve'],
    ['right-to-left override after', '/approve \u202Eweb'],
    ['no-break space after', '/approve\u00A0'],
    ['no-break space between', '/approve\u00A0Release'],
    ['soft hyphen', '/ap\u00ADprove'],
    ['Cyrillic a', '/\u0430pprove'],
    ['Kelvin sign', '/roll\u0042ac\u212A'],
    ['dotless i', '/r\u0131erun'],
    ['tag characters', '/approve\u{E0041}'],
    ['Hangul filler', '/approve \u3164'],
    ['line separator', '/approve\u2028/retry'],
    ['escape sequence', '/approve \u001B[8m'],
    ['a joiner alone', '/approve \u200D'],
    ['a joiner after a commit', `/approve ${sha}\u200D`],
    ['a joiner after a letter and before an emoji', '/approve a\u200D👩'],
    ['combining grapheme joiner', '/approve \u034F'],
    ['variation selector after a commit', `/approve ${sha}\uFE0F`],
    ['variation selector of the supplement', '/approve ok\u{E0101}'],
    ['Khmer inherent vowel', '/approve \u17B4'],
    ['empty Braille cell', '/approve \u2800'],
  ])('%s', (_name, body) => {
    expect(parse(body).filter((line) => line.kind === 'command')).toEqual([]);
  });

  it.each(['👩‍💻', '👩🏽‍💻', '❤️', '🏳️‍🌈', '1️⃣', '👨‍👩‍👧'])('what an emoji is made of is no hidden character: %s', (emoji) => {
    expect(command(`/approve ok ${emoji}`)).toMatchObject({ reason: `ok ${emoji}` });
  });

  it('a letter that looks like one of ours is named', () => {
    const [line] = parse('/\u0430pprove');
    expect(line).toMatchObject({ kind: 'near-miss', suggestion: '/approve', why: expect.stringContaining('U+0430') });
  });

  it('the person is told which character it was', () => {
    expect(parse('/approve\u200B')).toMatchObject([
      { kind: 'near-miss', suggestion: '/approve', why: expect.stringContaining('U+200B') },
    ]);
  });
});

describe('a mistake is answered with what is wrong and how to write it', () => {
  it.each([
    ['/retry nothing', 'There is no `nothing`. The pipelines are `web`, `shop`.'],
    ['/retry wbe/Test', 'There is no `wbe/Test`. Did you mean `web/Test`?'],
    ['/retry web/Nothing', 'There is no `web/Nothing`. The stages of `web` are `Source`, `Test`, `Release`, `Deploy`.'],
    ['/retry a/b/c/d', '`a/b/c/d` is not of the form pipeline/stage/action.'],
    ['/retry web/Test again', '`again` is one word too many.'],
    ['/retry web/Test colour=red', '`colour=` is not known here. It takes none.'],
    ['/approve colour=red', '`colour=` is not known here. It takes `sha=` and `reason=`.'],
    ['/approve Relaese', 'There is no `Relaese`. Did you mean `Release`?'],
    ['/stop wbe', 'There is no `wbe`. Did you mean `web`?'],
    [
      '/approve staging',
      'There is no `staging`. The pipelines are `web`, `shop`. To give it as the reason, write `reason=staging`.',
    ],
    [
      '/stop abandon other',
      'There is no `other`. The pipelines are `web`, `shop`. To give it as the reason, write `reason=other`.',
    ],
    [`/approve ${sha}0`, `\`${sha}0\` is too long for a commit, which has 40 digits.`],
    ['/override web/Deploy entry success', '`entry`, `success` cannot both be meant: write one of them.'],
    ['/help approve reject', '`reject` is one word too many.'],
    ['/approve 1f0c9', '`1f0c9` is too short for a commit: write at least 7 digits of it.'],
    [`/approve 1f0c9c0 sha=${'2'.repeat(40)}`, 'Two different commits are given.'],
    ['/approve "looks good', 'A quote (") is not closed.'],
    ['/run web LEVEL=a LEVEL=b', '`LEVEL` is given twice.'],
    ['/run web SECRET=x', '`web` declares no variable `SECRET`. It declares `LEVEL`, `NOTE`.'],
    ['/run shop SECRET=x', '`shop` declares no variable `SECRET`. It declares none.'],
    ['/run LEVEL=x', 'Variables belong to one pipeline: write its name first.'],
    ['/run web/Test', '`web/Test` is not a pipeline.'],
    ['/run web NOTE="x', 'A quote (") is not closed.'],
    ['/hold web/Deploy', 'The reason is missing.'],
    ['/hold', 'The stage is missing.'],
    ['/hold Deploy incident', 'Several pipelines have `Deploy`: write pipeline/stage.'],
    ['/rollback web', '`web` is not a stage: write pipeline/stage.'],
    ['/rollback web/Deploy yesterday', '`yesterday` is not an execution: write its id, or the first 8 digits of it.'],
    ['/override web/Deploy/Site', '`web/Deploy/Site` is an action; write its stage.'],
    ['/ok-to-test yes', '`yes` is not a commit: write 7 to 40 digits of it.'],
    [
      '/help everything',
      'There is no command `everything`. The commands are approve, reject, retry, rerun, run, stop, rollback, hold, release, override, ok-to-test, status, why, plan, help.',
    ],
    [`/approve ${'x'.repeat(451)}`, 'The reason is longer than 450 characters.'],
  ])('%s', (body, expected) => {
    const found = problem(body);
    expect(found.problem).toBe(expected);
    expect(found.usage).toMatch(/^\/[a-z-]+/);
  });

  it('the usage is in the form that the person used', () => {
    expect(problem('/hold').usage).toBe('/hold pipeline/stage reason');
    expect(problem('/penstock hold').usage).toBe('/penstock hold pipeline/stage reason');
  });

  it('words of the person cannot leave the code that they are shown in', () => {
    expect(problem('/retry x\\`@acme/all').problem).toBe("There is no `x'@acme/all`. The pipelines are `web`, `shop`.");
  });
});

describe('other bots are left alone', () => {
  it.each([
    '/retest',
    '/lgtm',
    '/cancel',
    '/test all',
    '/assign @bob',
    '/rebase',
    '/deploy',
    '/shrug',
    '/home/bob/x',
    '/etc',
    '/',
  ])('%s gets no answer', (body) => {
    expect(parse(body)).toEqual([]);
  });

  it.each([
    ['/aprove', '/approve'],
    ['/approv Release', '/approve'],
    ['/approve.', '/approve'],
    ['/rejct', '/reject'],
    ['/statsu', '/status'],
    ['/oktotest', '/ok-to-test'],
  ])('%s is taken as a slip', (body, suggestion) => {
    expect(parse(body)).toMatchObject([{ kind: 'near-miss', suggestion }]);
  });

  it.each([
    ['/penstock cancel', '/penstock stop'],
    ['/penstock retest', '/penstock retry'],
    ['/penstock aprove', '/penstock approve'],
    ['/penstock whatever', '/penstock help'],
  ])('%s names us, so it is answered', (body, suggestion) => {
    expect(parse(body)).toMatchObject([{ kind: 'near-miss', suggestion }]);
  });

  it('with bare verbs off only our own name is heard, and slips of others are silent', () => {
    expect(parse('/approve\n/aprove\n/retry x=', false)).toEqual([]);
    expect(command('/penstock approve', false)).toMatchObject({ verb: 'approve' });
  });
});

describe('limits', () => {
  it('ten commands are obeyed, the rest is named once', () => {
    const body = Array.from({ length: 15 }, (_, index) => `/approve reason ${index}`).join('\n');
    const lines = parse(body);
    expect(lines.filter((line) => line.kind === 'command')).toHaveLength(10);
    expect(lines.at(-1)).toMatchObject({ kind: 'error', line: 11, problem: expect.stringContaining('10 commands') });
    expect(lines).toHaveLength(11);
  });

  it('a comment that is too long or too deep obeys nothing and says so', () => {
    expect(parse(`/approve\n\n${'x'.repeat(65_536)}`)).toMatchObject([{ kind: 'error' }]);
    expect(parse(`/approve\n\n${'- a\n'.repeat(5000)}`)).toMatchObject([{ kind: 'error' }]);
    expect(parse(`/approve\n\n${'- a\n'.repeat(400)}`)).toMatchObject([{ kind: 'command' }]);
    expect(parse(`/approve\n\n${'> '.repeat(21)}x`)).toMatchObject([{ kind: 'error' }]);
    expect(parse(`/approve\n\n${'> a\n\n'.repeat(600)}`)).toMatchObject([{ kind: 'error' }]);
    expect(parse(`/approve\n\n${'> a\n\n'.repeat(100)}`)).toMatchObject([{ kind: 'command' }]);
    expect(parse(`/approve\n\n${'-'.repeat(500)}`)).toMatchObject([{ kind: 'command' }]);
  });

  it('names like those of every object are no names', () => {
    for (const name of ['__proto__', 'constructor', 'toString'])
      expect(problem(`/retry ${name}`).problem).toContain(name);
    expect(parse('/constructor')).toEqual([]);
  });
});
