/** What a verb of CodePipeline's job protocol says. A refusal is an answer with CodePipeline's exception, not an error. */
export type Answered<T> = { readonly ok: true; readonly value: T } | RefusedAnswer;

export interface RefusedAnswer {
  readonly ok: false;
  /** For example `JobNotFoundException`. */
  readonly exception: string;
  readonly message: string;
}

export function answered<T>(value: T): Answered<T> {
  return { ok: true, value };
}

export function refused(exception: string, message: string): RefusedAnswer {
  return { ok: false, exception, message };
}
