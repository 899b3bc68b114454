/** The paths that webhook filters use: `$`, `.name`, `['name']` and `[0]`; nothing that searches (CP-T-7). */
export type JsonPath = readonly (string | number)[];

/** `undefined` for a path of another kind. */
export function readJsonPath(text: string): JsonPath | undefined {
  if (!text.startsWith('$')) return undefined;
  const steps: (string | number)[] = [];
  const step = /\.([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]/y;
  step.lastIndex = 1;
  while (step.lastIndex < text.length) {
    const found = step.exec(text);
    if (!found) return undefined;
    const [, plain, index, single, double] = found;
    steps.push(index === undefined ? (plain ?? single ?? double ?? '') : Number(index));
  }
  return steps;
}

/** `undefined` where there is nothing. */
export function valueAt(document: unknown, path: JsonPath): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  return value;
}
