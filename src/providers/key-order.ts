/** S3's order of keys: by their bytes in UTF-8. */
export function inKeyOrder(a: string, b: string): number {
  if (a === b) return 0;
  // The order of JavaScript is another one only where a surrogate is compared.
  const isPlain = !/[\ud800-\uffff]/.test(a) || !/[\ud800-\uffff]/.test(b);
  return isPlain ? (a < b ? -1 : 1) : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
