/** An answer other than 2xx, in the shape that GitHub gives it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly errors: readonly unknown[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    more: { errors?: readonly unknown[]; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }

  body(): unknown {
    const documentation_url = 'https://docs.github.com/rest';
    const errors = this.errors.length > 0 ? { errors: this.errors } : {};
    return { message: this.message, ...errors, documentation_url, status: String(this.status) };
  }
}

export function notFound(): ApiError {
  return new ApiError(404, 'Not Found');
}

/** `why` names the field first, as in "label is too long". */
export function invalid(why: string, errors: readonly unknown[] = []): ApiError {
  return new ApiError(422, why, { errors });
}
