import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMasker, maskText } from '../../src/providers/mask.ts';

const secret = 'hunter2+/=s3cret?';
const pem = `-----BEGIN KEY-----\n${'Qm9uam91ciBsZSBtb25kZQ'.repeat(3)}\n${'c2Vjb25kIGxpbmUgb2Yga2V5'.repeat(2)}\n-----END KEY-----\n`;

function maskInChunks(input: Buffer, cuts: readonly number[], secrets: readonly string[]): string {
  const masker = createMasker(secrets);
  const parts: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    parts.push(masker.push(input.subarray(from, cut)));
    from = cut;
  }
  parts.push(masker.push(input.subarray(from)), masker.flush());
  return Buffer.concat(parts).toString('utf8');
}

const shapes: readonly (readonly [string, Buffer])[] = [
  ['as it is', Buffer.from(secret)],
  ['base64', Buffer.from(Buffer.from(secret).toString('base64'))],
  ['base64 after one byte', Buffer.from(Buffer.from(`x${secret}yz`).toString('base64'))],
  ['base64 after two bytes', Buffer.from(Buffer.from(`xx${secret}`).toString('base64'))],
  ['base64 of a line', Buffer.from(Buffer.from(`${secret}\n`).toString('base64'))],
  ['base64url', Buffer.from(Buffer.from(secret).toString('base64url'))],
  [
    'base64 broken over two lines',
    Buffer.from(
      Buffer.from(secret)
        .toString('base64')
        .replace(/^(.{9})/, '$1\n'),
    ),
  ],
  ['percent-encoded', Buffer.from(encodeURIComponent(secret))],
  ['percent-encoded in small letters', Buffer.from(encodeURIComponent(secret).replace(/%../g, (c) => c.toLowerCase()))],
  ['hex', Buffer.from(Buffer.from(secret).toString('hex'))],
  ['HEX', Buffer.from(Buffer.from(secret).toString('hex').toUpperCase())],
];

describe('secrets never reach a log (SEC-D-09)', () => {
  it.each(shapes)('%s, at every cut position', (_name, shown) => {
    const input = Buffer.concat([Buffer.from('before '), shown, Buffer.from(' after\n')]);
    const longest = 5;
    for (let cut = 0; cut <= input.length; cut += 1) {
      const output = maskInChunks(input, [cut], [secret]);
      expect(output).toContain('***');
      expect(output.startsWith('before ')).toBe(true);
      expect(output.endsWith(' after\n')).toBe(true);
      expect(output.length).toBeLessThanOrEqual('before '.length + 3 + longest + 1 + ' after\n'.length);
    }
  });

  it('a key file, whole, by single lines, and JSON-escaped', () => {
    const lines = pem.split('\n');
    for (const shown of [pem, lines[1]!, lines[2]!, JSON.stringify(pem), pem.replaceAll('\n', '\r\n')]) {
      const output = maskText(`see: ${shown} end`, [pem]);
      expect(output).toContain('***');
      expect(output).not.toContain('Qm9uam91ciBsZSBtb25kZQ');
      expect(output).not.toContain('c2Vjb25kIGxpbmUgb2Yga2V5');
    }
  });

  it.each([
    ['JSON of JavaScript', String.raw`pa\"ss/w<o>rd'é\\x&y`],
    ['JSON of Python', String.raw`pa\"ss/w<o>rd'\u00e9\\x&y`],
    ['JSON of Go', String.raw`pa\"ss/w\u003co\u003erd'é\\x\u0026y`],
    ['JSON of PHP', String.raw`pa\"ss\/w<o>rd'é\\x&y`],
    ['JSON inside of JSON', String.raw`pa\\\"ss/w<o>rd'é\\\\x&y`],
    ['set -x of a shell', String.raw`pa"ss/w<o>rd'\''é\x&y`],
    ['HTML', String.raw`pa&quot;ss/w&lt;o&gt;rd&#39;é\x&amp;y`],
  ])('with signs that %s escapes, at every cut position', (_name, shown) => {
    const odd = String.raw`pa"ss/w<o>rd'é\x&y`;
    const input = Buffer.from(`before ${shown} after\n`);
    for (let cut = 0; cut <= input.length; cut += 1)
      expect(maskInChunks(input, [cut], [odd])).toBe('before *** after\n');
  });

  it('property: whatever the chunking, the output is the same and holds no secret', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('secret', 'cretsecr', 'se\ncret', 'ret', 's', '\n'), fc.string()), {
          maxLength: 12,
        }),
        fc.array(fc.nat(60), { maxLength: 8 }),
        (words, cuts) => {
          const input = Buffer.from(words.join(''));
          const whole = maskInChunks(input, [], ['secret', 'cretsecr']);
          const usable = cuts.filter((cut) => cut <= input.length);
          expect(maskInChunks(input, usable, ['secret', 'cretsecr'])).toBe(whole);
          expect(whole).not.toMatch(/secret|cretsecr/);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('finds a secret inside the beginning of another one (SEC-D-09)', () => {
    const secrets = ['prefix-inner-secret-suffix', 'inner-secret'];
    expect(maskText('prefix-inner-secret-other', secrets)).toBe('prefix-***-other');
    expect(maskText('prefix-inner-secret-suffix', secrets)).toBe('***');
  });

  it('steps over one line break and not over an empty line', () => {
    expect(maskText('hunter2\nhunter3', ['hunter2hunter3'])).toBe('***\n***');
    expect(maskText('hunter2\n\nhunter3', ['hunter2hunter3'])).toBe('hunter2\n\nhunter3');
  });

  it('text without secrets passes unchanged, line by line, without waiting', () => {
    const masker = createMasker([secret]);
    expect(masker.push(Buffer.from('first line\n')).toString()).toBe('first line\n');
    expect(masker.push(Buffer.from([0, 255, 13, 10, 27])).length).toBe(5);
    expect(masker.flush().length).toBe(0);
  });

  it('a stream made of nothing but the secret does not pile up in memory', () => {
    const masker = createMasker(['aaaaaaaa']);
    let printed = 0;
    for (let round = 0; round < 200; round += 1) printed += masker.push(Buffer.alloc(1000, 'a')).length;
    expect(printed + masker.flush().length).toBe(3);
  });
});
