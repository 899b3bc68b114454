import { html } from 'hono/html';
import { reportText, type TestReport } from '../pipeline/test-report.ts';
import { layout, type Markup } from './layout.ts';
import { liveScript } from './live-script.ts';
import type { LogExcerpt } from './log-excerpt.ts';
import type { ActionPageData, ExecutionPageData, StagePageData } from './page-data.ts';
import { visibleText } from './visible-text.ts';
import { durationText, lookOf, sizeText, timeText } from './words.ts';

export interface ExecutionPage {
  readonly data: ExecutionPageData;
  /** By action execution id; an action without a log has no entry. */
  readonly logs: ReadonlyMap<string, LogExcerpt>;
  /** Changes whenever the data changes. */
  readonly state: string;
  /** Path of the page and the query that opens it. */
  readonly path: string;
  readonly query: string;
  readonly now: Date;
}

export function renderExecutionPage(page: ExecutionPage): Promise<string> {
  const { data } = page;
  return layout({
    title: `${data.pipeline}: ${lookOf(overallStatus(data)).label} - ${data.headSha.slice(0, 7)}`,
    state: page.state,
    main: html`${heading(page)}${data.stages.map((stage) => stageBox(page, stage))}`,
    ...(data.live ? { script: liveScript } : {}),
  });
}

function heading({ data, now }: ExecutionPage): Markup {
  const pull = data.pullRequest;
  const inPull = pull === undefined ? '' : html`<li><a href="${pull.url}">Pull request #${pull.number}</a></li>`;
  return html`<h1>${data.pipeline} ${badge(overallStatus(data))}</h1>
    ${data.title === undefined ? '' : html`<p class="soft">${data.title}</p>`}
    <ul class="facts">
      <li>${data.repository}</li>
      <li>
        Commit <a href="${data.commitUrl}"><code>${data.headSha.slice(0, 7)}</code></a>
      </li>
      ${inPull}
      <li>${data.cause}, by ${data.startedBy}</li>
      <li>Started ${timeText(data.startedAt)}</li>
      <li>${data.live ? 'Running for' : 'Took'} ${durationText(data.startedAt, data.endedAt, now)}</li>
      <li>Execution <code>${data.id}</code></li>
    </ul>
    ${data.note === undefined ? '' : html`<p class="note">${data.note}</p>`}`;
}

/** An execution that only waits for a person says so. */
function overallStatus(data: ExecutionPageData): string {
  const actions = data.stages.flatMap((stage) => stage.actions);
  const waits = actions.some(({ status }) => status === 'Waiting for approval');
  return waits && !actions.some(({ running }) => running) ? 'Waiting for approval' : data.status;
}

function stageBox(page: ExecutionPage, stage: StagePageData): Markup {
  const attempt = stage.attempt > 1 ? html`<span class="soft">attempt ${stage.attempt}</span>` : '';
  return html`<section class="stage">
    <header>
      <h2>${stage.name}</h2>
      ${badge(stage.status)} ${attempt}
      <span class="time">${durationText(stage.startedAt, stage.endedAt, page.now)}</span>
    </header>
    ${stage.actions.map((action) => actionBox(page, action))}
  </section> `;
}

function actionBox(page: ExecutionPage, action: ActionPageData): Markup {
  const link = action.externalUrl;
  return html`<div class="action">
    <div class="line">
      <strong>${action.name}</strong> <span class="soft">${action.provider}</span> ${badge(action.status)}
      ${action.attempt > 1 ? html`<span class="soft">attempt ${action.attempt}</span>` : ''}
      <span class="time">${durationText(action.startedAt, action.endedAt, page.now)}</span>
    </div>
    ${action.error === undefined ? '' : html`<p class="bad"><code>${action.error.code}</code> ${action.error.message}</p>`}
    ${action.summary === undefined ? '' : html`<p>${action.summary}</p>`}
    ${action.answeredBy === undefined ? '' : html`<p class="soft">Answered by ${action.answeredBy}</p>`}
    ${link === undefined ? '' : html`<p><a href="${link}" rel="noreferrer">Open where it ran</a></p>`}
    ${phasesBox(page, action)} ${action.reports.map(testsBox)}
    ${action.id === undefined ? '' : artifactList(page, action.id, action)}
    ${action.id === undefined ? '' : logBox(page, action.id, 'Log', action.status === 'Failed' || action.running, action.running)}
    ${action.earlier.map((attempt) => html`${logBox(page, attempt.id, `Attempt ${attempt.attempt}: ${attempt.status}`, false, false)}`)}
  </div> `;
}

/** Where the time of a build went, and which phase failed. */
function phasesBox(page: ExecutionPage, { id, phases, running, status, name }: ActionPageData): Markup {
  if (id === undefined || phases.length === 0) return html``;
  const rows = phases.map((phase) => {
    const ended = phase.endedAt ?? (running ? undefined : phase.startedAt);
    const look = phase.endedAt === undefined && !running ? 'Cut off' : phase.status;
    const again = phase.attempts > 1 ? html` <span class="soft">attempt ${phase.attempts}</span>` : '';
    const why =
      phase.message === undefined
        ? ''
        : html`<tr>
            <td colspan="4" class="bad">${visibleText(phase.message)}</td>
          </tr>`;
    return html`<tr>
        <th scope="row"><code>${phase.phase}</code></th>
        <td>${badge(look)}${again}</td>
        <td class="began"><time datetime="${phase.startedAt}">${phase.startedAt.slice(11, 19)}</time></td>
        <td class="number">${durationText(phase.startedAt, ended, page.now)}</td>
      </tr>
      ${why}`;
  });
  return html`<details id="phases-${id}" ${running || status === 'Failed' ? html` open` : ''}>
    <summary>Phases</summary>
    <table class="phases">
      <caption>
        Phases of the build ${name}
      </caption>
      <thead>
        <tr>
          <th scope="col">Phase</th>
          <th scope="col">Status</th>
          <th scope="col" class="began">Began (UTC)</th>
          <th scope="col" class="number">Took</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </details>`;
}

function testsBox(report: TestReport): Markup {
  const tone = report.failed > 0 ? 'bad' : 'soft';
  const failures = report.failures.map(({ name, message, path, line }) => {
    const place = path === undefined ? '' : html` <span class="soft">${path}:${line ?? 1}</span>`;
    return html`<li><strong>${visibleText(name)}</strong>${place}: ${visibleText(message)}</li>`;
  });
  const flaky = report.flaky.map(
    ({ name, attempt }) => html`<li class="soft">${visibleText(name)} passed on attempt ${attempt}</li>`,
  );
  const problems = report.problems.map((problem) => html`<li class="soft">${visibleText(problem)}</li>`);
  const hidden = report.failed - report.failures.length;
  const more = hidden > 0 && report.failures.length > 0 ? html`<li class="soft">and ${hidden} more</li>` : '';
  const list = [...failures, more, ...flaky, ...problems];
  return html`<div class="tests">
    <p class="${tone}">Tests of <code>${report.group}</code>: ${reportText(report)}</p>
    ${
      list.length === 0
        ? ''
        : html`<ul>
            ${list}
          </ul>`
    }
  </div>`;
}

function artifactList(page: ExecutionPage, id: string, { artifacts }: ActionPageData): Markup {
  if (artifacts.length === 0) return html``;
  return html`<ul class="facts">
    ${artifacts.map(
      ({ name, size, sha256 }) =>
        html`<li>
          Artifact <a href="${page.path}/artifacts/${id}/${name}${page.query}" download>${name}</a> (${sizeText(size)},
          sha256 <code title="${sha256}">${sha256.slice(0, 12)}</code>)
        </li>`,
    )}
  </ul>`;
}

function logBox(page: ExecutionPage, id: string, label: string, open: boolean, running: boolean): Markup {
  const log = page.logs.get(id);
  if (log === undefined && !running) return html``;
  const full = html`<a href="${page.path}/logs/${id}${page.query}">the whole log as text</a>`;
  const cut =
    log !== undefined && log.cut > 0
      ? html`<p class="soft">The end of it; ${sizeText(log.cut)} before it are left out: ${full}.</p>`
      : '';
  const size = log === undefined ? '' : html` (${sizeText(log.size)})`;
  return html`<details id="box-${id}" ${open ? html` open` : ''}>
    <summary>${label}${size}</summary>
    ${cut}
    <pre id="log-${id}" tabindex="0">${log?.text ?? ''}</pre>
    <p class="soft">${full}</p>
  </details>`;
}

function badge(status: string): Markup {
  const { tone, mark, label } = lookOf(status);
  return html`<span class="mark ${tone}"><span aria-hidden="true">${mark}</span> ${label}</span>`;
}
