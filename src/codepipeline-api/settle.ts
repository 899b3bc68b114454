import type { Answered } from '../engine/embedded/answered.ts';
import { ApiError } from './api-error.ts';
import type { Call } from './door.ts';
import { isAdmin } from './stored-pipeline.ts';

/** The value of an answer of the engine; a refusal is thrown with its exception. */
export function settle<T>(answer: Answered<T>): T {
  if (answer.ok) return answer.value;
  throw new ApiError(answer.exception, answer.message);
}

/** For what counts for every repository. */
export function adminOnly({ caller }: Call, operation: string): void {
  if (isAdmin(caller)) return;
  const message = `User: ${caller.arn} is not authorized to perform: codepipeline:${operation}. It takes a key made with --admin.`;
  throw new ApiError('AccessDeniedException', message);
}
