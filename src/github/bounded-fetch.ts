/** Limits of one call to GitHub. */
export interface CallLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

const callLimits: CallLimits = { timeoutMs: 10_000, maxBytes: 32 * 1024 * 1024 };

const mostRedirects = 3;

/**
 * `fetch` with an end: a time limit over the whole call, a cap on the answer, and redirects (GitHub answers with them
 * for renamed repositories) only within the configured host, because the token travels with them (SEC-E-06).
 */
export function boundedFetch(limits: CallLimits = callLimits): typeof fetch {
  return async (input, init) => {
    const signal = AbortSignal.timeout(limits.timeoutMs);
    let url = new URL(input instanceof Request ? input.url : input);
    for (let redirects = 0; ; redirects += 1) {
      const response = await fetch(url, { ...init, redirect: 'manual', signal });
      const next = redirectOf(response, url);
      if (next === null) return capped(response, limits.maxBytes);
      await response.body?.cancel();
      if (redirects === mostRedirects || next.origin !== url.origin) {
        throw new Error(`${url.host} redirects to ${next.host}, which is not followed`);
      }
      url = next;
    }
  };
}

function redirectOf(response: Response, from: URL): URL | null {
  const location = response.headers.get('location');
  return [301, 302, 307, 308].includes(response.status) && location !== null ? URL.parse(location, from.href) : null;
}

async function capped(response: Response, maxBytes: number): Promise<Response> {
  const { status, statusText, headers } = response;
  if (!response.body) return new Response(null, { status, statusText, headers });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`GitHub's answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new Response(status === 204 || status === 304 ? null : Buffer.concat(chunks), { status, statusText, headers });
}
