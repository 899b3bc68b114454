import type { Problem } from '../pipeline/problem.ts';
import { code, cutEnd, maxMarkdown, prose, shortSha, ticked } from './markdown.ts';
import { title } from './titles.ts';
import type { AnnotationView, CheckRunView } from './view.ts';

/** Aggregate checks that stand for no execution: whatever happens, the required check concludes and says why. */

/** `reason` reads on from "Skipped: ", for example `no changed file matches services/api/**`. */
export function renderSkipped(pipeline: string, reason: string, detailsUrl: string): CheckRunView {
  return plain(pipeline, detailsUrl, {
    conclusion: 'skipped',
    title: title('Skipped: ', reason),
    summary: [
      `**Skipped**: ${ticked(reason, 1000)}.`,
      `Pipeline ${code(pipeline)} did not start for this commit. A skipped check satisfies a branch rule that requires it.`,
      'To start it all the same, comment:',
      block('/penstock run ' + pipeline),
    ],
  });
}

/** `problems` should hold errors; a broken configuration never passes as skipped. */
export function renderBrokenConfig(name: string, problems: readonly Problem[], detailsUrl: string): CheckRunView {
  const [first] = problems;
  const where = first ? `${first.file}:${first.line}` : 'configuration';
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
  return plain(name, detailsUrl, {
    conclusion: 'failure',
    title: title('Broken configuration: ', `${where}${more}`),
    summary: [
      `**The configuration cannot be used**, so nothing started. ${problems.length === 1 ? 'One problem' : `${problems.length} problems`}:`,
      problems.slice(0, 30).map(problemLine).join('\n'),
      ...(problems.length > 30 ? [`… and ${problems.length - 30} more.`] : []),
      'Mend the file and push; `penstock validate` finds the same problems on your machine.',
    ],
    annotations: problems.slice(0, 50).map(annotationOf),
  });
}

/** Nothing runs for a fork before a person with write access names its commit in full (SEC R6). */
export function renderHeldFork(pipeline: string, headSha: string, detailsUrl: string): CheckRunView {
  return plain(pipeline, detailsUrl, {
    conclusion: 'action_required',
    title: title('From a fork: a maintainer must allow ', shortSha(headSha)),
    summary: [
      `**Waiting**: this pull request comes from a fork, so nothing runs for ${code(headSha)} until a person with write access has looked at it.`,
      'Read the change first: its commands will run, without secrets and without network. Then press **Allow this commit** on this page, or comment:',
      block(`/penstock ok-to-test ${headSha}`),
      'It holds for this one commit; a new push waits again.',
    ],
    buttons: [
      {
        label: 'Allow this commit',
        identifier: 'ok-to-test',
        description: `Run the pipelines for ${shortSha(headSha)}`,
      },
    ],
  });
}

export function renderMergeGroupPass(pipeline: string, detailsUrl: string): CheckRunView {
  return plain(pipeline, detailsUrl, {
    conclusion: 'success',
    title: 'Passed on to the merge queue',
    summary: [
      `**Passed**: ${code(pipeline)} does not run again for merge groups (${code('mergeGroup: pass')}); it ran on the pull request.`,
      `Write ${code('mergeGroup: run')} in ${code('.github/penstock.yml')} to test the merged result.`,
    ],
  });
}

type Plain = Pick<CheckRunView, 'conclusion' | 'title'> & {
  readonly summary: readonly string[];
  readonly annotations?: readonly AnnotationView[];
  readonly buttons?: CheckRunView['buttons'];
};

function plain(name: string, detailsUrl: string, { summary, ...rest }: Plain): CheckRunView {
  const text = cutEnd(summary.join('\n\n'), maxMarkdown);
  return { stage: '', name, detailsUrl, status: 'completed', annotations: [], buttons: [], ...rest, summary: text };
}

function problemLine(problem: Problem): string {
  const where = code(`${problem.file}:${problem.line}:${problem.column}`);
  const rule = problem.rule === undefined ? '' : ` (${code(problem.rule)})`;
  return `- ${where}: ${prose(problem.message, 500)}${rule} ${prose(problem.mend, 500)}`.trimEnd();
}

function annotationOf(problem: Problem): AnnotationView {
  return {
    path: problem.file.replace(/^\.\//, ''),
    startLine: problem.line,
    endLine: problem.line,
    startColumn: problem.column,
    level: problem.severity === 'error' ? 'failure' : 'warning',
    title: cutEnd(problem.path === '' ? 'Configuration' : problem.path, 255),
    message: cutEnd(`${problem.message} ${problem.mend}`.trim(), 10_000),
  };
}

function block(line: string): string {
  return `\`\`\`\n${line}\n\`\`\``;
}
