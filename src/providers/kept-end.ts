/** The last bytes of a stream, in memory of a fixed size. */
export interface KeptEnd {
  /** Of everything that was added. */
  readonly total: number;
  add(bytes: Uint8Array): void;
  /** At most as many as fit, in their order. */
  bytes(): Buffer;
  clear(): void;
}

export function createKeptEnd(capacity: number): KeptEnd {
  // Taken when it is needed: most streams are short, and there are many.
  let ring = Buffer.alloc(0);
  let total = 0;
  return {
    get total() {
      return total;
    },
    add: (bytes) => {
      if (total + bytes.length > ring.length && ring.length < capacity)
        ring = grown(ring, total + bytes.length, capacity);
      const kept = bytes.subarray(Math.max(0, bytes.length - capacity));
      const start = (total + bytes.length - kept.length) % capacity;
      const untilEnd = Math.min(kept.length, capacity - start);
      ring.set(kept.subarray(0, untilEnd), start);
      ring.set(kept.subarray(untilEnd), 0);
      total += bytes.length;
    },
    bytes: () => {
      if (total <= capacity) return Buffer.from(ring.subarray(0, total));
      const start = total % capacity;
      return Buffer.concat([ring.subarray(start), ring.subarray(0, start)]);
    },
    clear: () => {
      total = 0;
    },
  };
}

/** Before it is full once, bytes lie at their own place, so that it can grow as it is. */
function grown(ring: Buffer<ArrayBuffer>, wanted: number, capacity: number): Buffer<ArrayBuffer> {
  const larger = Buffer.alloc(Math.min(capacity, Math.max(wanted, ring.length * 2)));
  ring.copy(larger);
  return larger;
}
