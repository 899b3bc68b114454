import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildspecKeys } from '../../src/buildspec/keys.ts';

const root = join(import.meta.dirname, '../..');
const document = readFileSync(join(root, 'docs/buildspec.md'), 'utf8');

function rowsOf(heading: string): readonly (readonly string[])[] {
  const [, part = ''] = document.split(`\n## ${heading}\n`);
  const lines = (part.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .replaceAll('\\|', '/')
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const { top, env, proxy, phases, phase, install, reports, artifacts, cache } = buildspecKeys;
const below = (parent: string, keys: readonly string[]): readonly string[] => keys.map((key) => `${parent}.${key}`);
/** Those that hold other keys stand in the table with what they hold. */
const parents = ['env', 'proxy', 'phases', 'reports', 'artifacts', 'cache'];
const everyKey = [
  ...top.filter((key) => !parents.includes(key)),
  ...below('env', env),
  ...below('proxy', proxy),
  ...below('phases', phases),
  ...below('phases.*', phase),
  ...below('phases.install', install),
  ...below('reports.*', reports),
  ...below('artifacts', artifacts),
  'artifacts.secondary-artifacts',
  ...below('cache', cache),
];

describe('docs/buildspec.md', () => {
  it('tells of every key of a buildspec, and of no other (CP 9.1)', () => {
    const told = rowsOf('Every key').map(([key = '']) => key.replaceAll('`', ''));
    expect(told.toSorted()).toEqual(everyKey.toSorted());
  });

  it.each(rowsOf('Every key'))('%s is kept by a test that is there', (_key, does, test = '') => {
    const [, file = '', story = ''] = /^`([^`]+)`: (.+)$/.exec(test) ?? [];
    expect(does).not.toBe('');
    expect(existsSync(join(root, 'test', file)), file).toBe(true);
    expect(readFileSync(join(root, 'test', file), 'utf8')).toContain(story);
  });

  it('names every variable that builds are given (CP 9.2)', () => {
    const code = readFileSync(join(root, 'src/providers/build-environment.ts'), 'utf8');
    const given = new Set([...code.matchAll(/\b(CODEBUILD_[A-Z_]+|AWS_[A-Z_]+)(?=[:_`])/g)].map(([name]) => name));
    expect(given.size).toBeGreaterThan(15);
    const told = rowsOf('What a build sees')
      .map(([name = '']) => name)
      .join(' ');
    expect([...given].filter((name) => !told.includes(name.replace(/_$/, '')))).toEqual([]);
  });

  it('states every rule that code and tests cite, with tests that cite it', () => {
    const rules = rowsOf('Rules');
    const cited = ['src', 'test'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.(ts|txt)$/.test(path))
        .flatMap((path) => readFileSync(join(root, folder, path), 'utf8').match(/\bCP-B-\d+/g) ?? []),
    );
    expect(cited.length).toBeGreaterThan(50);
    expect(cited.filter((rule) => !rules.some(([stated]) => stated === rule))).toEqual([]);
    const wrong = rules.flatMap(([rule = '', , tests = '']) =>
      [...tests.matchAll(/`([^`]+)`/g)].filter(([, file = '']) => {
        const path = join(root, 'test', file);
        return !existsSync(path) || !new RegExp(`${rule}(?!\\d)`).test(readFileSync(path, 'utf8'));
      }),
    );
    expect(wrong.map(([file]) => file)).toEqual([]);
  });
});
