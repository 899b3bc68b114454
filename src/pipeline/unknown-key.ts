import { closest } from './closest.ts';
import type { Finding, Path } from './finding.ts';
import { keysOf, shapeAt, wirePath } from './shape-at.ts';

export function unknownKey(path: Path, key: string): Finding {
  const known = keysOf(shapeAt(path));
  const near = closest(key, known);
  const isCapital = near !== undefined && key === near.charAt(0).toUpperCase() + near.slice(1);
  const message = `Unknown parameter in ${wirePath(path)}: "${key}"`;
  const at = [...path, key];
  return {
    path: at,
    severity: 'error',
    rule: 'CP-1.2',
    exception: 'ValidationException',
    message,
    mend: isCapital ? spelling(near) : unknownKeyMend(key, near, known),
    ...(isCapital && { turnsOn: 'capitals' }),
  };
}

function spelling(near: string): string {
  return `Write "${near}": a declaration uses the spelling of get-pipeline, not of CloudFormation.`;
}

function unknownKeyMend(key: string, near: string | undefined, known: readonly string[]): string {
  if (key === '<<') return 'Write out the keys that it would merge. An alias *name can stand for a whole value.';
  return near === undefined ? `Leave it out; known here: ${known.join(', ')}.` : `Did you mean "${near}"?`;
}

/** A whole declaration in the spelling of CloudFormation is one mistake, told where it begins. */
export function joinCapitals(findings: readonly Finding[]): readonly Finding[] {
  const capitals = findings.filter(({ turnsOn }) => turnsOn === 'capitals');
  const [first] = capitals;
  if (!first || capitals.length < 2) return findings;
  const message = `${capitals.length} keys are spelled as in CloudFormation, ${String(first.path.at(-1))} the first of them`;
  const mend = 'Begin each with a small letter, as `aws codepipeline get-pipeline` prints it.';
  return findings.flatMap((finding) => {
    if (finding === first) return [{ ...first, message, mend }];
    return finding.turnsOn === 'capitals' ? [] : [finding];
  });
}
