import type { YAMLError } from 'yaml';

/** Each of these is a mistake of its own; after any other the parser is out of step with what was meant. */
const single: ReadonlySet<string> = new Set(['BAD_ALIAS', 'DUPLICATE_KEY', 'NON_STRING_KEY', 'TAG_RESOLVE_FAILED']);
const mostCauses = 50;

/** The errors that tell what to mend: the first one, and others of its kind on other lines if that kind stands alone. */
export function causes(text: string, errors: readonly YAMLError[]): readonly YAMLError[] {
  const ordered = errors.toSorted((a, b) => a.pos[0] - b.pos[0]);
  const [first] = ordered;
  if (first === undefined || !single.has(first.code)) return ordered.slice(0, 1);
  const told = new Set<number>();
  return ordered
    .filter(({ code }) => code === first.code)
    .slice(0, mostCauses)
    .filter(({ pos }) => {
      const line = text.slice(0, pos[0]).split('\n').length;
      return !told.has(line) && told.add(line);
    });
}
