/** Variables `#{namespace.key}` (CP 2.11): replaced as text, right before an action starts, for each attempt. */

export interface VariableReference {
  /** The reference as written, with `#{` and `}`. */
  readonly text: string;
  readonly namespace: string;
  readonly key: string;
}

export type Resolved<T> =
  { readonly ok: true; readonly resolved: T } | { readonly ok: false; readonly message: string };

/** By namespace, then by key. */
export type Namespaces = Readonly<Record<string, Readonly<Record<string, string>>>>;

const reference = /#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_]+)\}/g;

export function variableReferences(text: string): VariableReference[] {
  return Array.from(text.matchAll(reference), (found) => ({
    text: found[0],
    namespace: found[1] ?? '',
    key: found[2] ?? '',
  }));
}

/** `#{…}` that is not a reference at all, for example without a period. */
export function malformedReferences(text: string): string[] {
  return Array.from(text.replaceAll(reference, '').matchAll(/#\{[^}]*\}?/g), (found) => found[0]);
}

/** Resolves the values of one action's configuration; `message` is CodePipeline's text for a missing one (CP-V-6). */
export function resolveVariables(
  configuration: Readonly<Record<string, string>>,
  namespaces: Namespaces,
  actionName: string,
): Resolved<Record<string, string>> {
  const entries = Object.entries(configuration).map(([key, value]) => {
    const asJson = jsonKeys.has(key);
    return [key, resolveText(value, namespaces, asJson)] as const;
  });
  if (entries.some(([, value]) => value === undefined)) return { ok: false, message: unresolved(actionName) };
  return { ok: true, resolved: Object.fromEntries(entries.map(([key, value]) => [key, value ?? ''])) };
}

/**
 * Values that are read as JSON: what is put into a text of theirs is escaped as one. Else a commit message of two lines
 * would break the list, and a title with quotes could add variables to it (SEC-D-02).
 */
const jsonKeys: ReadonlySet<string> = new Set(['EnvironmentVariables', 'Variables', 'SourceRevisions']);

/** The same for texts outside `configuration`: commands and the values of environment variables (CP-V-5). */
export function resolveTexts(
  texts: readonly string[],
  namespaces: Namespaces,
  actionName: string,
): Resolved<readonly string[]> {
  const values = texts.map((text) => resolveText(text, namespaces));
  if (values.some((value) => value === undefined)) return { ok: false, message: unresolved(actionName) };
  return { ok: true, resolved: values.map((value) => value ?? '') };
}

/** Replaced values are not read again: what a value holds is never a reference (CP-V-1). */
function resolveText(text: string, namespaces: Namespaces, asJson = false): string | undefined {
  let missing = false;
  const resolved = text.replaceAll(reference, (whole: string, namespace: string, key: string, offset: number) => {
    const values = Object.hasOwn(namespaces, namespace) ? namespaces[namespace] : undefined;
    const value = values && Object.hasOwn(values, key) ? values[key] : undefined;
    missing ||= value === undefined;
    if (value === undefined) return whole;
    return asJson && isInJsonText(text, offset) ? JSON.stringify(value).slice(1, -1) : value;
  });
  return missing ? undefined : resolved;
}

/** Whether a text of JSON is open at that place: a variable may also hold the whole list. */
function isInJsonText(text: string, offset: number): boolean {
  const quotes = text.slice(0, offset).replaceAll(/\\./g, '').match(/"/g);
  return (quotes?.length ?? 0) % 2 === 1;
}

function unresolved(actionName: string): string {
  return (
    'An action in this pipeline failed because one or more variables could not be resolved: ' +
    `Action name=${actionName}. This can result when a variable is referenced that does not exist. ` +
    'Validate the configuration for this action.'
  );
}
