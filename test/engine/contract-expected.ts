/** One line of a scenario, and what the scenario says came of it. */
export interface ExpectedStep {
  readonly input: string;
  /** CodePipeline's exception. */
  readonly refused: string | undefined;
  /** The last status by `e1`, `e1/Build`, `e1/Build/Unit#1`. */
  readonly changes: ReadonlyMap<string, string>;
}

/** The third part of a scenario file. */
export function readExpected(text: string): { readonly steps: readonly ExpectedStep[]; readonly end: string } {
  const at = text.search(/^= /m);
  const blocks = text.slice(0, at).split(/^> /m).slice(1);
  return { steps: blocks.map(readStep), end: text.slice(at) };
}

function readStep(block: string): ExpectedStep {
  const [input = '', ...lines] = block.split('\n');
  const refused = lines.flatMap((line) => /^ {2}refused: (\w+)/.exec(line)?.[1] ?? [])[0];
  const changes = lines.flatMap((line): [string, string][] => {
    const [, path = '', to = ''] = /^ {2}(\S+): \S+ -> (\w+)$/.exec(line) ?? [];
    // On record a stage is its newest attempt, an action every attempt.
    const isStage = path.split('/').length === 2;
    return path === '' ? [] : [[isStage ? path.replace(/#\d+$/, '') : path, to]];
  });
  return { input, refused, changes: new Map(changes) };
}
