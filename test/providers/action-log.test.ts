import { appendFileSync, rmSync, truncateSync, writeFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logPath, openActionLog } from '../../src/providers/action-log.ts';
import { followLog, readTail } from '../../src/providers/read-log.ts';
import { temporaryDirectory } from '../buildspec/rungs.ts';

const root = await temporaryDirectory();

describe('the log of an action', () => {
  it('is on disk as it is written, masked, with every other byte as it was', () => {
    const file = join(root, 'a', 'b.log');
    const log = openActionLog({ file, mask: ['hunter22'] });
    log.write('key: hunt');
    log.write(Buffer.from('er22\n\u001b[31mred\u001b[0m \u0000 '));
    log.write(new Uint8Array([0xff, 0xfe, 0x0a]));
    expect(readFileSync(file, 'latin1')).toBe('key: ***\n\u001b[31mred\u001b[0m \u0000 \u00ff\u00fe\n');
    log.close();
    log.write('late');
    expect(readFileSync(file, 'latin1')).not.toContain('late');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is cut at its cap with a notice, keeps the end, and takes no more memory or disk for a flood (SEC-C-14)', () => {
    const file = join(root, 'flood.log');
    const log = openActionLog({ file, capBytes: 100_000, mask: [] });
    const before = process.memoryUsage().rss;
    const line = Buffer.alloc(1024 * 1024, 'flood of output\n');
    for (let round = 0; round < 300; round += 1) log.write(line);
    log.write('the error that matters\n');
    log.close();
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('[penstock] The log is cut here: it reached 98 KiB.');
    expect(text).toMatch(/\[penstock\] 300 MiB were left out\. The end of the output:\n/);
    expect(text.endsWith('the error that matters\n')).toBe(true);
    expect(text.length).toBeLessThan(210_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(160 * 1024 ** 2);
  });

  it('masks what is kept of a flood, wherever the memory of its end begins (SEC-D-09)', () => {
    const secret = 'very-secret-value';
    const shown = `${secret} ${Buffer.from(secret).toString('base64')}\n`;
    for (let shift = 0; shift < 60; shift += 1) {
      const file = join(root, `shift-${shift}.log`);
      const log = openActionLog({ file, capBytes: 300, mask: [secret] });
      log.write('x'.repeat(shift));
      for (let round = 0; round < 40; round += 1) log.write(shown);
      log.write('the end\n');
      log.close();
      const text = readFileSync(file, 'utf8');
      expect(text).toContain('were left out');
      expect(text).toMatch(/\*\*\* \*\*\*\w?=*\nthe end\n$/);
      expect(text).not.toMatch(/secret|very-s|c2VjcmV0|value/);
    }
  });

  it('goes on in the same file when an action is started again', () => {
    const file = join(root, 'again.log');
    for (const text of ['one\n', 'two\n']) {
      const log = openActionLog({ file, mask: [] });
      log.write(text);
      log.close();
    }
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  });

  it('never fails the action: a place that cannot be written loses the log only', () => {
    const log = openActionLog({ file: '/dev/null/nowhere/x.log', mask: [] });
    expect(() => {
      log.write('x');
      log.close();
    }).not.toThrow();
  });

  it('has a path made of our own ids alone', () => {
    expect(logPath('/home', 'e-1', 'a-1')).toBe('/home/logs/e-1/a-1.log');
    expect(() => logPath('/home', '../x', 'a')).toThrow(/not an id/);
  });
});

describe('reading a log', () => {
  it('gives the last lines', async () => {
    const file = join(root, 'tail.log');
    const log = openActionLog({ file, mask: [] });
    for (let number = 0; number < 200_000; number += 1) log.write(`line ${number}\n`);
    log.close();
    expect(await readTail(file, 2)).toEqual(['line 199998', 'line 199999']);
    const all = await readTail(file, 1_000_000);
    expect([all.length, all[0], all[65_536], all[199_999]]).toEqual([200_000, 'line 0', 'line 65536', 'line 199999']);
    expect(await readTail(join(root, 'none.log'), 5)).toEqual([]);
  });

  it.each([
    ['', []],
    ['one', ['one']],
    ['one\n\ntwo\n', ['one', '', 'two']],
    ['\n\n', ['', '']],
  ])('of %j gives %j', async (text, lines) => {
    const file = join(root, 'small.log');
    writeFileSync(file, text);
    expect(await readTail(file, 5)).toEqual(lines);
  });

  it('cuts lines that are too long, so that those before them are seen', async () => {
    const file = join(root, 'long.log');
    writeFileSync(file, `error: before\n${'x'.repeat(1024 ** 2)}\n${'é'.repeat(1_500)}!`);
    expect(await readTail(file, 5)).toEqual([
      'error: before',
      `${'x'.repeat(2_000)}… (${1024 ** 2 - 2_000} more bytes)`,
      `${'é'.repeat(1_000)}… (1001 more bytes)`,
    ]);
  });

  it('looks back only so far', async () => {
    const file = join(root, 'endless.log');
    writeFileSync(file, 'unseen\n');
    truncateSync(file, 70 * 1024 ** 2);
    appendFileSync(file, '\nseen\n');
    expect(await readTail(file, 5)).toEqual(['seen']);
    rmSync(file);
  });

  it('follows it from before it is there until its end', async () => {
    const file = join(root, 'follow.log');
    let ended = false;
    const parts: string[] = [];
    const reading = (async () => {
      for await (const chunk of followLog(file, { ended: () => ended, pauseMs: 5 })) parts.push(chunk.toString());
    })();
    const log = openActionLog({ file, mask: [] });
    for (const word of ['a', 'b', 'c']) {
      log.write(`${word}\n`);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    log.close();
    ended = true;
    await reading;
    expect(parts.join('')).toBe('a\nb\nc\n');
  });
});
