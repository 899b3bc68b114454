import { basename } from 'node:path';
import type { SourceFile } from './source.ts';

/** One rule that a single file can break: answers what is wrong, in words. */
type Rule = (file: SourceFile) => readonly string[];

/** Time and ids are inputs of the core (docs/architecture.md). */
export const pureFoldersHaveNoClockAndNoChance: Rule = (file) => {
  if (!/^src\/(pipeline|commands|render)\//.test(file.path)) return [];
  const wrong = [
    /\bDate\.now\b/,
    /\bnew Date\(\s*\)/,
    /\bMath\.random\b/,
    /\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b/,
    /\bperformance\.now\b/,
    /\bprocess\./,
    /\bset(Timeout|Interval|Immediate)\b/,
    /\bfetch\(/,
  ];
  const crypto = file.imports.find((found) => found.target === 'node:crypto');
  const beyondHash = crypto !== undefined && !/^\{\s*(?:createHash|hash)\s*\}$/.test(crypto.clause);
  return [
    ...matches(file, wrong, 'is no input: the core has no clock, no chance and no IO'),
    ...(beyondHash ? [`${file.path}: may take only createHash and hash from node:crypto`] : []),
  ];
};

/** src/cli.ts hands the environment on as a value, and src/config/env.ts gives it meaning. */
export const nobodyElseTakesTheEnvironment: Rule = (file) =>
  file.path === 'src/cli.ts' || file.path.startsWith('src/demo/github/')
    ? []
    : matches(file, [/\bprocess\.env\b/], 'is read in src/cli.ts only: take the setting as an argument');

export const queriesLiveInTheDatabaseFolder: Rule = (file) =>
  file.path.startsWith('src/db/') || file.path.startsWith('migrations/')
    ? []
    : [
        ...matches(
          file,
          [/\.(selectFrom|insertInto|updateTable|deleteFrom|replaceInto|mergeInto)\(/],
          'is a query: src/db has one function per query',
        ),
        ...file.imports
          .filter(({ target, clause }) => target === 'kysely' && /\bsql\b/.test(clause))
          .map(() => `${file.path}: writes SQL outside src/db`),
      ];

/** Inside a transaction the plain handle would use another connection, and on the embedded database wait for itself. */
export const transactionsUseTheirOwnHandle: Rule = (file) =>
  transactionBodies(file.code).flatMap(({ handle, body }) =>
    new RegExp(`(?<![\\w.$])${escapeRegExp(handle)}(?![\\w$:])`).test(body)
      ? [`${file.path}: uses ${handle} inside its own transaction: take the handle that the callback is given`]
      : [],
  );

export const noBarrels: Rule = (file) => [
  ...(basename(file.path) === 'index.ts' ? [`${file.path}: name the file for what it holds`] : []),
  ...matches(file, [/^export \*/m], 're-exports everything: import from the file that holds it'),
];

export const testsMockNoneOfOurModules: Rule = (file) =>
  matches(
    file,
    [/\bvi\.(mock|doMock)\(\s*(['"`]\.|import\()/],
    'replaces one of our own modules: build a world instead',
  );

function matches(file: SourceFile, patterns: readonly RegExp[], why: string): string[] {
  return patterns.flatMap((pattern) => {
    const found = pattern.exec(file.code);
    return found === null ? [] : [`${file.path}:${lineOf(file.code, found.index)}: ${found[0].trim()} ${why}`];
  });
}

function lineOf(code: string, index: number): number {
  return code.slice(0, index).split('\n').length;
}

function transactionBodies(code: string): { handle: string; body: string }[] {
  const call = /([\w$.]+)\s*\.transaction\(\)(?:\s*\.\w+\([^()]*\))*?\s*\.execute\(/g;
  return [...code.matchAll(call)].map((found) => ({
    handle: found[1] ?? '',
    body: argumentsFrom(code, found.index + found[0].length),
  }));
}

/** Text up to the bracket that closes the one before `start`; brackets in strings count, which only lengthens it. */
function argumentsFrom(code: string, start: number): string {
  let depth = 1;
  let at = start;
  for (; at < code.length && depth > 0; at += 1) {
    if (code[at] === '(') depth += 1;
    if (code[at] === ')') depth -= 1;
  }
  return code.slice(start, at - 1);
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[$.*+?^{}()|[\]\\]/g, String.raw`\$&`);
}
