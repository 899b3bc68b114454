/** Something wrong in a file that a person wrote. Lines and columns are 1-based. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Where in the document, for example `stages[1].actions[0].runOrder`. */
  readonly path: string;
  /** The rule it breaks, for example `CP-D-8`; absent for plain syntax. */
  readonly rule?: string;
  /** CodePipeline's exception for it, when it has one. */
  readonly exception?: string;
  /** What is wrong; CodePipeline's own text where it has one. */
  readonly message: string;
  /** What to write instead. */
  readonly mend: string;
}

/** `file:line:column: message. Mend.`: the one-line form used in logs and check runs. */
export function formatProblem({ file, line, column, message, mend }: Problem): string {
  const sentence = mend === '' || /[.!?:]$/.test(message) ? message : `${message}.`;
  return `${file}:${line}:${column}: ${sentence} ${mend}`.trim();
}

/** `file:line:column: severity [rule]: message`, as compilers say it, and the mend in a line below: for terminals. */
export function problemLines({ file, line, column, severity, rule, message, mend }: Problem): string {
  const cited = rule === undefined ? '' : ` [${rule}]`;
  const said = `${file}:${line}:${column}: ${severity}${cited}: ${message}`;
  return mend === '' ? said : `${said}\n    ${mend}`;
}
