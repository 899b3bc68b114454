/** Prices are whole cents; a discount is rounded in favour of the buyer. */
export function discounted(cents, percent) {
  if (!Number.isInteger(cents) || cents < 0) throw new RangeError(`${cents} is no price in cents`);
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`${percent} is no discount: write 0 to 100`);
  return Math.floor((cents * (100 - percent)) / 100);
}
