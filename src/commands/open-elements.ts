/** Elements that quote, hide or show code: what stands between their tags is not said by the writer now. */
const hiding: ReadonlySet<string> = new Set([
  'a', 'blockquote', 'code', 'del', 'details', 'dl', 'kbd', 'math', 'ol', 'pre', 'q', 's', 'samp', 'script', 'strike',
  'style', 'summary', 'svg', 'table', 'template', 'textarea', 'tt', 'ul', 'xmp',
]); // prettier-ignore

/** Which HTML elements of a comment are open at a place, reading its raw HTML from top to bottom. */
export class OpenElements {
  readonly #depth = new Map<string, number>();

  read(html: string): void {
    // Stops at the next `<` too, so that a row of unclosed tags is read once and not again from each.
    for (const tag of withoutComments(html).matchAll(/<(\/?)([A-Za-z][A-Za-z0-9]*)[^<>]*/g)) {
      const name = (tag[2] ?? '').toLowerCase();
      if (!hiding.has(name)) continue;
      const depth = this.#depth.get(name) ?? 0;
      this.#depth.set(name, tag[1] === '/' ? Math.max(0, depth - 1) : depth + 1);
    }
  }

  hide(): boolean {
    return Array.from(this.#depth.values()).some((depth) => depth > 0);
  }
}

function withoutComments(html: string): string {
  let kept = '';
  let at = 0;
  for (let open = html.indexOf('<!--'); open !== -1; open = html.indexOf('<!--', at)) {
    kept += html.slice(at, open);
    const close = html.indexOf('-->', open);
    if (close === -1) return kept;
    at = close + 3;
  }
  return kept + html.slice(at);
}
