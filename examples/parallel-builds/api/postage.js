/** Cents for a parcel: a price for the first kilogram, and one for each that is begun after it. */
export function postage(grams) {
  if (!Number.isInteger(grams) || grams <= 0) throw new RangeError(`not a weight in grams: ${grams}`);
  return 450 + 120 * (Math.ceil(grams / 1000) - 1);
}
