/** Checksums that Node does not have. Reflected, bit by bit in the tables and byte by byte over the data. */

/** CRC-32/ISCSI. */
const table32c = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

/** @param before 0 at the beginning, then what the part before gave. */
export function crc32c(part: Uint8Array, before = 0): number {
  let crc = ~before;
  for (const byte of part) crc = table32c[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** CRC-64/NVME, in two halves of 32 bits: BigInt would be a hundred times slower. */
const [high64, low64] = table64();

function table64(): readonly [Uint32Array, Uint32Array] {
  const polynomial = { high: 0x9a6c9329, low: 0xac4bc9b5 };
  const [highs, lows] = [new Uint32Array(256), new Uint32Array(256)];
  for (let byte = 0; byte < 256; byte += 1) {
    let [high, low] = [0, byte];
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (low & 1) === 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (isOdd) [high, low] = [high ^ polynomial.high, low ^ polynomial.low];
    }
    highs[byte] = high;
    lows[byte] = low;
  }
  return [highs, lows];
}

export function crc64nvme(): { update(part: Uint8Array): void; value(): Buffer } {
  let [high, low] = [~0, ~0];
  return {
    update(part) {
      for (const byte of part) {
        const at = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ low64[at]!;
        high = (high >>> 8) ^ high64[at]!;
      }
    },
    value() {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE(~high >>> 0, 0);
      bytes.writeUInt32BE(~low >>> 0, 4);
      return bytes;
    },
  };
}
