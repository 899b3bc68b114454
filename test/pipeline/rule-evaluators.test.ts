import { describe, expect, it } from 'vitest';
import { cronMatches, parseCron } from '../../src/pipeline/cron.ts';
import { deploymentWindow, variableCheck } from '../../src/pipeline/rule-evaluators.ts';
import { localTime, timeZoneProblem } from '../../src/pipeline/time-zone.ts';

describe('CP 2.10: VariableCheck', () => {
  it.each([
    ['a', 'EQ', 'a', 'succeeded'],
    ['a', 'EQ', 'A', 'failed'],
    ['a', 'NE', 'b', 'succeeded'],
    ['a', 'NE', 'a', 'failed'],
    ['release-7', 'CONTAINS', '-7', 'succeeded'],
    ['release-7', 'CONTAINS', '8', 'failed'],
    ['release-7', 'MATCHES', 'release-\\d', 'succeeded'],
    ['release-77', 'MATCHES', 'release-\\d', 'failed'],
    ['b', 'MATCHES', 'a|b', 'succeeded'],
    ['a', 'MATCHES', '(', 'errored'],
    ['a', 'LIKE', 'a', 'errored'],
    ['x'.repeat(5000), 'MATCHES', 'x*', 'errored'],
  ])('%s %s %s: %s', (variable, operator, value, kind) => {
    const answer = variableCheck({ Variable: variable.slice(0, 5000), Operator: operator, Value: value });
    expect(answer.kind).toBe(kind);
  });

  it('CP-C-8: says why a pattern cannot be used', () => {
    expect(variableCheck({ Variable: 'a', Operator: 'MATCHES', Value: '(a)\\1' })).toEqual({
      kind: 'errored',
      summary: "The pattern '(a)\\1' cannot be used: \\1 is not supported.",
    });
  });

  it('CP-C-8: cannot be judged without its three keys', () => {
    expect(variableCheck({ Variable: 'a' }).kind).toBe('errored');
  });
});

describe('CP 2.10: DeploymentWindow', () => {
  const mondayTenUtc = new Date('2026-01-05T10:30:00Z');

  it.each([
    ['0 0 9-17 ? * MON-FRI *', 'UTC', 'succeeded'],
    ['0 0 9-17 ? * MON-FRI', 'Asia/Tokyo', 'waiting'],
    ['* * 19 ? * MON', 'Asia/Tokyo', 'succeeded'],
    ['* * 5 ? * *', 'America/New_York', 'succeeded'],
    ['* * 10 ? * *', 'America/New_York', 'waiting'],
    ['* * 16 ? * *', 'UTC+05:30', 'succeeded'],
    ['* * 2 ? * *', 'PST', 'succeeded'],
    ['* 0 10 * * ?', 'UTC', 'waiting'],
    ['* 30 10 * * ?', 'UTC', 'succeeded'],
    ['x 0 10 * * ?', 'UTC', 'errored'],
    ['* * * * * ?', 'Mars/Base', 'errored'],
  ])('%s in %s: %s', (cron, zone, kind) => {
    expect(deploymentWindow({ Cron: cron, TimeZone: zone }, mondayTenUtc).kind).toBe(kind);
  });

  it.each([
    ['* * * L * ?', '2026-02-28', true],
    ['* * * L * ?', '2028-02-28', false],
    ['* * * L-1 * ?', '2026-02-27', true],
    ['* * * LW * ?', '2026-01-30', true],
    ['* * * LW * ?', '2026-01-31', false],
    ['* * * 1W * ?', '2026-08-03', true],
    ['* * * 15W * ?', '2026-02-16', true],
    ['* * * 15W * ?', '2026-02-15', false],
    ['* * * 31W * ?', '2026-05-29', true],
    ['* * * ? * 6#3', '2026-01-16', true],
    ['* * * ? * 6#3', '2026-01-09', false],
    ['* * * ? * FRIL', '2026-01-30', true],
    ['* * * ? * 6L', '2026-01-23', false],
    ['* * * ? * L', '2026-01-31', true],
    ['* * * ? * SAT-MON', '2026-01-04', true],
    ['* * * ? * FRI-MON', '2026-01-08', false],
    ['* * * ? * SAT-TUE/2', '2026-01-03', true],
    ['* * * ? * SAT-TUE/2', '2026-01-04', false],
    ['* * * ? * SAT-TUE/2', '2026-01-05', true],
    ['* * * ? JAN,MAR *', '2026-03-01', true],
    ['* * * ? 2-12/2 *', '2026-03-01', false],
    ['* * * 1/10 * ? 2026', '2026-01-21', true],
    ['* * * 1/10 * ? 2027', '2026-01-21', false],
  ])('%s on %s: %s', (text, date, expected) => {
    const parsed = parseCron(text);
    expect(parsed.ok && cronMatches(parsed.cron, localTime(new Date(`${date}T12:00:00Z`), 'UTC'))).toBe(expected);
  });

  it.each([
    '* * * * *',
    '* 60 * * * ?',
    '* * 24 * * ?',
    '* * * 32 * ?',
    '* * * * * 8',
    '* * 5-x * * ?',
    '* 1/0 * * * ?',
  ])('%s is not a window', (text) => {
    expect(parseCron(text).ok).toBe(false);
  });

  it('follows the clocks over the change to summer time', () => {
    expect(localTime(new Date('2026-03-29T00:59:00Z'), 'Europe/Berlin')).toMatchObject({ hour: 1, minute: 59 });
    expect(localTime(new Date('2026-03-29T01:00:00Z'), 'Europe/Berlin')).toMatchObject({ hour: 3, minute: 0 });
    expect(localTime(new Date('2026-12-31T23:30:00Z'), 'UTC+1')).toMatchObject({
      year: 2027,
      month: 1,
      day: 1,
      weekday: 6,
    });
    expect(timeZoneProblem('Europe/Berlin')).toBeUndefined();
  });
});
