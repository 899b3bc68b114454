import type { Patterns, PipelineDefinition, TriggerFilters } from './definition.ts';
import { actionError, structureError, warning, type Finding, type Path } from './finding.ts';
import { globProblem } from './glob.ts';
import { repeats } from './structure-checks.ts';

/** Rules about triggers and their filters (CP-D-17, CP-D-18, CP-D-24, CP-D-32). */
export function triggerFindings({ triggers, stages }: PipelineDefinition): Finding[] {
  const names = triggers.map((trigger) => trigger.gitConfiguration.sourceActionName);
  const sources = (stages[0]?.actions ?? [])
    .filter((action) => action.actionTypeId.provider === 'CodeStarSourceConnection')
    .map((action) => action.name);
  const twice = new Set(repeats(names));
  const size = Buffer.byteLength(JSON.stringify(triggers));
  const large =
    size > mostBytes
      ? [
          structureError(
            ['triggers'],
            '1.5',
            `The triggers take ${size} bytes, more than ${mostBytes}`,
            'Write fewer patterns.',
          ),
        ]
      : [];
  const single = triggers.flatMap((trigger, index) => {
    const path: Path = ['triggers', index, 'gitConfiguration'];
    const filters = filterFindings(trigger.gitConfiguration, path);
    const name = names[index] ?? '';
    if (sources.includes(name) && !twice.has(index)) return filters;
    const mend = twice.has(index)
      ? 'Join the two triggers.'
      : `Name one of ${sources.join(', ') || 'the source actions'}.`;
    return [structureError([...path, 'sourceActionName'], 'D-17', notASource, mend), ...filters];
  });
  return [...large, ...single];
}

/** CP 1.5. */
const mostBytes = 200 * 1024;

const notASource =
  'Triggers for connection must reference a CodeStarSourceConnection action. Note that when you specify a trigger, ' +
  'you cant specify more than one trigger per source action.';

const badFilter =
  'The trigger configuration for the source action is not valid. Make sure to choose valid filter combinations.';

/** Also for `on:` of .github/penstock.yml. */
export function filterFindings(filters: TriggerFilters, path: Path): Finding[] {
  const push = (filters.push ?? []).flatMap((filter, index) => {
    const at = [...path, 'push', index];
    const mixed = filter.tags && (filter.branches ?? filter.filePaths);
    return [
      ...(mixed ? [structureError(at, 'D-18', badFilter, 'Put tags into a filter of their own.')] : []),
      ...(filter.tags || filter.branches ? [] : [noBranches(at)]),
      ...patternFindings(filter, at),
    ];
  });
  const pullRequest = (filters.pullRequest ?? []).flatMap((filter, index) => {
    const at = [...path, 'pullRequest', index];
    return [...(filter.branches ? [] : [noBranches(at)]), ...patternFindings(filter, at)];
  });
  return [...push, ...pullRequest, ...twins(filters, path)];
}

/** CP 1.5: the service takes no filter twice in one list. */
function twins(filters: TriggerFilters, path: Path): Finding[] {
  return (['push', 'pullRequest'] as const).flatMap((list) =>
    repeats((filters[list] ?? []).map((filter) => JSON.stringify(filter))).map((index) =>
      structureError([...path, list, index], 'D-18', badFilter, 'This filter stands twice: leave out one.'),
    ),
  );
}

function noBranches(path: Path): Finding {
  return warning(path, 'D-24', 'The filter names no branches; some tools for AWS refuse that', 'Add branches.');
}

function patternFindings(
  filter: { readonly tags?: Patterns; readonly branches?: Patterns; readonly filePaths?: Patterns },
  path: Path,
): Finding[] {
  return (['tags', 'branches', 'filePaths'] as const).flatMap((key) =>
    (['includes', 'excludes'] as const).flatMap((list) =>
      (filter[key]?.[list] ?? []).flatMap((pattern, index) => {
        const problem = globProblem(pattern);
        if (problem === undefined) return [];
        const message = `The pattern '${pattern}' is not valid: ${problem}`;
        return [
          actionError([...path, key, list, index], 'D-18', message, 'Mend the pattern; \\ takes a sign literally.'),
        ];
      }),
    ),
  );
}
