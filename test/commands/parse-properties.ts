import * as fc from 'fast-check';
import { expect } from 'vitest';
import { parseComment } from '../../src/commands/parse-comment.ts';
import { verbTable } from '../../src/commands/verbs.ts';
import { hidings, hostileMarkdown } from './hostile.ts';

const known = {
  web: { stages: [{ name: 'Release', actions: ['Approve'] }], variables: ['LEVEL'] },
};

/** Stated once, run with few cases in every test run and with many in the long one. */
export function neverThrows(numRuns: number): void {
  fc.assert(
    fc.property(hostileMarkdown, fc.boolean(), (body, bare) => {
      const lines = parseComment(body, { bare, known });
      expect(lines.length).toBeLessThanOrEqual(11);
      for (const line of lines) {
        if (line.kind !== 'command') continue;
        const source = body.split(/\r\n|\n|\r/)[line.line - 1] ?? '';
        // Only plain ASCII at the margin of a line that is really there can have made it.
        expect(source).toMatch(/^ {0,3}\/[A-Za-z]/);
        expect(Object.keys(verbTable)).toContain(line.command.verb);
      }
    }),
    { numRuns },
  );
}

export function neverObeysWhatIsHidden(numRuns: number): void {
  fc.assert(
    fc.property(hostileMarkdown, fc.constantFrom(...hidings), (text, hide) => {
      const obeyed = parseComment(hide(text), { bare: true, known }).filter((line) => line.kind === 'command');
      expect(obeyed).toEqual([]);
    }),
    { numRuns },
  );
}

export function findsWhatIsPlain(numRuns: number): void {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('Looks good.', 'Thanks!', 'a, b and c', ''), { maxLength: 5 }), (lines) => {
      const body = [...lines, '', '/approve', '', ...lines].join('\n');
      expect(parseComment(body, { bare: true, known })).toMatchObject([
        { kind: 'command', command: { verb: 'approve' } },
      ]);
    }),
    { numRuns },
  );
}
