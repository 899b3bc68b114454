import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createKeptEnd } from '../../src/providers/kept-end.ts';

it('keeps the last bytes of a stream, however it is cut, also after it was cleared', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.constant('clear' as const)), { maxLength: 20 }),
      (capacity, steps) => {
        const end = createKeptEnd(capacity);
        let all = Buffer.alloc(0);
        for (const step of steps) {
          if (step === 'clear') end.clear();
          else end.add(step);
          all = step === 'clear' ? Buffer.alloc(0) : Buffer.concat([all, step]);
          expect(end.total).toBe(all.length);
          expect(end.bytes()).toEqual(all.subarray(-capacity));
        }
      },
    ),
  );
});
