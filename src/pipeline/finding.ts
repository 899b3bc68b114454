import type { Problem } from './problem.ts';

export type Path = readonly (string | number)[];
export type Locate = (path: Path) => { readonly line: number; readonly column: number };

/** A problem before it is known where in the text it stands. */
export interface Finding {
  readonly path: Path;
  readonly severity: 'error' | 'warning';
  readonly rule?: string;
  readonly exception?: string;
  readonly message: string;
  readonly mend: string;
  /**
   * What it turns on, where that is not plain from the rule: the place of an action among the others, or that a key is
   * spelled as in CloudFormation.
   */
  readonly turnsOn?: 'order' | 'capitals';
}

/** `rule` is given without its prefix `CP-`. */
export function structureError(path: Path, rule: string, message: string, mend: string): Finding {
  return { path, severity: 'error', rule: `CP-${rule}`, exception: 'InvalidStructureException', message, mend };
}

export function stageError(path: Path, rule: string, message: string, mend: string): Finding {
  return { path, severity: 'error', rule: `CP-${rule}`, exception: 'InvalidStageDeclarationException', message, mend };
}

export function actionError(path: Path, rule: string, message: string, mend: string): Finding {
  return { path, severity: 'error', rule: `CP-${rule}`, exception: 'InvalidActionDeclarationException', message, mend };
}

export function warning(path: Path, rule: string, message: string, mend: string): Finding {
  return { path, severity: 'warning', rule: `CP-${rule}`, message, mend };
}

export function toProblem(finding: Finding, file: string, locate: Locate): Problem {
  const { path, turnsOn: _, ...rest } = finding;
  return { ...rest, file, ...locate(path), path: formatPath(path) };
}

/** `stages[1].actions[0].runOrder`. */
function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}
