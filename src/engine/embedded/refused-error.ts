import { UserError } from '../../errors.ts';
import type { Refusal } from '../../pipeline/protocol.ts';

/** A start that the engine refused, with CodePipeline's exception for callers of its API. */
export class RefusedError extends UserError {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}
