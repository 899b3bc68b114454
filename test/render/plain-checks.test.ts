import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/pipeline/problem.ts';
import {
  renderBrokenConfig,
  renderHeldFork,
  renderMergeGroupPass,
  renderSkipped,
} from '../../src/render/plain-checks.ts';
import { headSha } from './views.ts';

const url = 'https://penstock.example';

const problem: Problem = {
  severity: 'error',
  file: './ci/web.pipeline.json',
  line: 12,
  column: 7,
  path: 'stages[1].actions[0].runOrder',
  rule: 'CP-D-8',
  message: 'runOrder is 0.',
  mend: 'Write a number from 1 to 999.',
};

describe('a check without an execution always concludes and says why', () => {
  it('skipped, with the reason in the title', () => {
    const check = renderSkipped('docs', 'no changed file matches docs/**', url);
    expect(check).toMatchObject({ name: 'docs', status: 'completed', conclusion: 'skipped', stage: '', buttons: [] });
    expect(check.title).toBe('Skipped: no changed file matches docs/**');
    expect(check.summary).toMatchInlineSnapshot(`
      "**Skipped**: no changed file matches docs/&#42;&#42;.

      Pipeline \`docs\` did not start for this commit. A skipped check satisfies a branch rule that requires it.

      To start it all the same, comment:

      \`\`\`
      /penstock run docs
      \`\`\`"
    `);
  });

  it('a broken configuration fails, never skips, with the problem at its line', () => {
    const check = renderBrokenConfig('web', [problem, { ...problem, line: 20 }], url);
    expect(check).toMatchObject({
      conclusion: 'failure',
      title: 'Broken configuration: ./ci/web.pipeline.json:12, and 1 more',
    });
    expect(check.annotations[0]).toEqual({
      path: 'ci/web.pipeline.json',
      startLine: 12,
      endLine: 12,
      startColumn: 7,
      level: 'failure',
      title: 'stages[1].actions[0].runOrder',
      message: 'runOrder is 0. Write a number from 1 to 999.',
    });
    expect(check.summary).toContain(
      '- `./ci/web.pipeline.json:12:7`: runOrder is 0. (`CP-D-8`) Write a number from 1 to 999.',
    );
  });

  it('ten thousand problems stay within what GitHub takes (SEC-D-14)', () => {
    const many = Array.from({ length: 10_000 }, (_, line) => ({
      ...problem,
      line: line + 1,
      message: 'x'.repeat(5000),
    }));
    const check = renderBrokenConfig('web', many, url);
    expect(check.annotations).toHaveLength(50);
    expect(check.summary.length).toBeLessThanOrEqual(65_535);
    expect(check.summary).toContain('… and 9970 more.');
  });

  it('SEC-C-01 a fork waits, with a button and the exact line to copy', () => {
    const check = renderHeldFork('web', headSha, url);
    expect(check).toMatchObject({
      conclusion: 'action_required',
      title: 'From a fork: a maintainer must allow 1a2b3c4',
    });
    expect(check.buttons).toEqual([
      { label: 'Allow this commit', identifier: 'ok-to-test', description: 'Run the pipelines for 1a2b3c4' },
    ]);
    expect(check.summary).toContain(`\n/penstock ok-to-test ${headSha}\n`);
  });

  it('a merge group is passed on', () => {
    expect(renderMergeGroupPass('web', url)).toMatchObject({
      conclusion: 'success',
      title: 'Passed on to the merge queue',
    });
  });
});
