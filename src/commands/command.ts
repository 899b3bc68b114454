/** What people may ask of Penstock, whatever way they asked: a comment, a review body or a button. */

/** Names as far as they are known; a missing one is filled in from what is running. Never empty strings. */
export interface Target {
  readonly pipeline?: string;
  readonly stage?: string;
  readonly action?: string;
}

export type Command =
  | ApprovalCommand
  /** `all`: every action of the stage instead of the failed ones. */
  | { readonly verb: 'retry'; readonly target: Target; readonly all: boolean }
  /** A new execution of the same commit, from the first stage. */
  | { readonly verb: 'rerun'; readonly target: Target }
  | { readonly verb: 'run'; readonly target: Target; readonly variables: readonly Variable[] }
  | { readonly verb: 'stop'; readonly target: Target; readonly abandon: boolean; readonly reason: string }
  /** `execution`: the id, or at least 8 leading digits of it; absent means the last one that succeeded before. */
  | { readonly verb: 'rollback'; readonly target: Target; readonly execution?: string }
  | { readonly verb: 'hold' | 'release'; readonly target: Target; readonly reason: string }
  | {
      readonly verb: 'override';
      readonly target: Target;
      /** Absent: whichever condition of the stage failed. */
      readonly condition?: 'BEFORE_ENTRY' | 'ON_SUCCESS';
      readonly reason: string;
    }
  /** `sha` is as written; `checkOkToTest` asks for the 40 digits. */
  | { readonly verb: 'ok-to-test'; readonly sha?: string }
  | { readonly verb: 'status' | 'why' | 'plan'; readonly target: Target }
  | { readonly verb: 'help'; readonly topic?: Verb };

export interface ApprovalCommand {
  readonly verb: 'approve' | 'reject';
  readonly target: Target;
  /** 7 to 40 lower-case hex digits, as the person wrote them. */
  readonly sha?: string;
  readonly reason: string;
}

export interface Variable {
  readonly name: string;
  readonly value: string;
}

export type Verb =
  | 'approve'
  | 'reject'
  | 'retry'
  | 'rerun'
  | 'run'
  | 'stop'
  | 'rollback'
  | 'hold'
  | 'release'
  | 'override'
  | 'ok-to-test'
  | 'status'
  | 'why'
  | 'plan'
  | 'help';

/** `pipeline/stage/action`, as far as the names are known; empty when none is. */
export function targetPath(target: Target): string {
  return [target.pipeline, target.stage, target.action].filter((name) => name !== undefined).join('/');
}
