import type { Asking, Told } from './asking.ts';

/** A Commands action has no build to ask for: CodePipeline's link to its log names group and stream. */
export function tellCommands({ detail, there }: Asking): Promise<Told> {
  const place = placeIn(detail.output?.executionResult?.externalExecutionUrl ?? '');
  return Promise.resolve(place ? { log: { region: there.region, ...place } } : {});
}

/** Both forms of the console's links to a log stream; the newer one writes `$252F` for a slash. */
function placeIn(url: string): { readonly group: string; readonly stream: string } | undefined {
  const found =
    /log-groups?\/log-group\/([^/]+)\/log-events\/([^/?&]+)/.exec(url) ??
    /#logEvent(?:Viewer)?:group=([^;]+);stream=([^;]+)/.exec(url);
  const [group, stream] = (found ?? []).slice(1).map(decoded);
  return group && stream ? { group, stream } : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(decodeURIComponent(text.replaceAll('$', '%')));
  } catch {
    return text;
  }
}
