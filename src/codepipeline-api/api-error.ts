/** An answer that is an error in CodePipeline's words: `{"__type": code, "message": …}` (CP-W-4). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The exception's name, for example `PipelineNotFoundException`. */
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** All violations of the shape in one message (CP 1.3). */
export function validationError(violations: readonly string[]): ApiError {
  const [count, s] = [violations.length, violations.length === 1 ? '' : 's'];
  return new ApiError('ValidationException', `${count} validation error${s} detected: ${violations.join('; ')}`);
}
