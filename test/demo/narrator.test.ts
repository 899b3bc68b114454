import { expect, test } from 'vitest';
import { createNarrator } from '../../src/demo/narrator.ts';
import { cells } from '../../src/demo/typography.ts';

const long = 'words that go on and on '.repeat(12).trim();
const path = `/a/very/long/path${'/deeper'.repeat(30)}`;

function everything(color: boolean): readonly string[] {
  const lines: string[] = [];
  const narrator = createNarrator(
    (line) => void lines.push(line),
    color,
    () => 12.34,
  );
  narrator.title('Penstock demo', long);
  narrator.act('The set');
  narrator.say(long);
  narrator.fact('Isolation', long);
  narrator.event({ tone: 'good', mark: '✓', what: 'web / Release', text: long });
  narrator.quote([long, '', `  at ${path}`]);
  narrator.markdown(`**${long}**\n\n\`\`\`\n${path}\n\`\`\``);
  narrator.held(long);
  narrator.deviation(long, path, [{ heading: long, lines: [long] }]);
  narrator.end(false, long);
  return lines;
}

test('no line is wider than 80 cells or ends in spaces, in colour or without', () => {
  for (const line of [...everything(false), ...everything(true)]) {
    expect(cells(line), line).toBeLessThanOrEqual(80);
    expect(line).not.toMatch(/\s$/);
    expect(line).not.toContain('\n');
  }
});

test('colour changes no word: a log of the demo reads like the terminal', () => {
  // oxlint-disable-next-line no-control-regex
  const withoutColour = everything(true).map((line) => line.replaceAll(/\u001B\[\d+m/g, ''));
  expect(withoutColour).toEqual(everything(false));
  expect(everything(false).join('')).not.toContain('\u001B');
});

test('an event stands in columns: when, what, and what is said of it', () => {
  const lines: string[] = [];
  const narrator = createNarrator(
    (line) => void lines.push(line),
    false,
    () => 3.21,
  );
  narrator.event({ tone: 'wait', mark: '‖', what: 'web', text: 'Waiting for approval: comment /approve Release' });
  expect(lines).toEqual(['   3.2s ‖ web            Waiting for approval: comment /approve Release']);
});
