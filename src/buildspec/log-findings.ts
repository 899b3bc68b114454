import type { Finding, ResolvePath } from './finding.ts';

const maxFindings = 50;
const maxLineLength = 1_000;
const unknownMessage = 'The program failed here.';

/** Messages with a place, in the forms that common compilers and test runners print them. At most 50. */
export function findInLog(lines: readonly string[], resolve: ResolvePath): readonly Finding[] {
  const found = new Map<string, Finding>();
  const context: Context = { file: undefined, said: undefined, resolve };
  let untold: string | undefined;
  for (const raw of lines) {
    if (found.size >= maxFindings) break;
    const line = plain(raw.slice(0, maxLineLength));
    const finding = findInLine(line, context);
    const news = remember(line, context);
    // A Python traceback names the place first and says the message after it.
    const place = untold === undefined ? undefined : found.get(untold);
    if (news && untold !== undefined && place?.message === unknownMessage) {
      found.set(untold, { ...place, message: context.said?.message ?? unknownMessage });
      untold = undefined;
    }
    if (finding === undefined) continue;
    const key = `${finding.path}:${finding.line}`;
    const known = found.get(key);
    if (known === undefined || rank(finding) > rank(known)) found.set(key, finding);
    if (finding.message === unknownMessage) untold = key;
  }
  return [...found.values()];
}

/** What earlier lines said: some tools print the message first and the place later, or a file above its messages. */
interface Context {
  file: string | undefined;
  said: { readonly message: string; readonly level: Finding['level'] } | undefined;
  readonly resolve: ResolvePath;
}

interface Form {
  readonly pattern: RegExp;
  read(groups: Readonly<Record<string, string | undefined>>, context: Context): Candidate | undefined;
}

interface Candidate {
  readonly file: string | undefined;
  readonly line: string | undefined;
  readonly column?: string | undefined;
  readonly level?: string | undefined;
  readonly message?: string | undefined;
}

/** Every repetition is of characters that the next token cannot begin with: matching stays linear. */
const forms: readonly Form[] = [
  // ::error file=a.js,line=1,col=2::message
  {
    pattern:
      /^::(?<level>error|warning|notice) (?:[^:]*?,)?file=(?<file>[^,:]+),(?:[^:]*?)?line=(?<line>\d+)(?:[^:]*?col=(?<column>\d+))?[^:]*::(?<message>.*)$/,
    read: direct,
  },
  // a.ts(3,5): error TS2322: message
  {
    pattern:
      /^\s*(?<file>[^\s():]+)\((?<line>\d+)(?:,(?<column>\d+))?\): (?<level>error|warning|info)\b:? ?(?<message>.*)$/,
    read: direct,
  },
  // a.ts:3:5 - error TS2322: message
  {
    pattern: /^\s*(?<file>[^\s:]+):(?<line>\d+):(?<column>\d+) - (?<level>error|warning)\b:? ?(?<message>.*)$/,
    read: direct,
  },
  // [ERROR] /src/A.java:[3,5] message
  {
    pattern: /^\[(?<level>ERROR|WARNING)\] (?<file>[^\s:]+):\[(?<line>\d+),(?<column>\d+)\] (?<message>.*)$/,
    read: direct,
  },
  // a.c:3:5: error: message
  {
    pattern:
      /^\s*(?<file>[^\s:()"']+):(?<line>\d+)(?::(?<column>\d+))?:? (?<level>(?:fatal )?error|warning|note|info|Error|Warning)\b:? ?(?<message>.*)$/,
    read: direct,
  },
  //    --> src/main.rs:3:5, after error[E0308]: message
  { pattern: /^\s*-->\s(?<file>[^\s:]+):(?<line>\d+):(?<column>\d+)$/, read: afterMessage },
  //  ❯ test/a.test.ts:3:5, after AssertionError: message
  { pattern: /^\s*❯ (?:\S+ )?\(?(?<file>[^\s:()]+):(?<line>\d+):(?<column>\d+)\)?$/, read: afterMessage },
  //    at run (file:///src/a.js:3:5), after Error: message
  {
    pattern: /^\s*at (?:[^(]*\()?(?<file>(?:file:\/\/)?[^\s:()]+):(?<line>\d+):(?<column>\d+)\)?$/,
    read: afterMessage,
  },
  //   location: '/src/a.test.js:3:5'
  { pattern: /^\s*location: '(?<file>[^':]+):(?<line>\d+):(?<column>\d+)'$/, read: afterMessage },
  //   12:5  error  message  rule, below a line with a file
  {
    pattern: /^\s+(?<line>\d+):(?<column>\d+)\s+(?<level>error|warning)\s+(?<message>\S.*)$/,
    read: (groups, { file }) => ({ ...direct(groups), file }),
  },
  //   message in /src/a.php on line 3
  { pattern: /^(?<message>.*) in (?<file>[^\s:]+) on line (?<line>\d+)$/, read: direct },
  // a_test.go:3: message, and a.py:3: AssertionError
  {
    pattern: /^\s*(?<file>[^\s:()"']+\.[A-Za-z]{1,6}):(?<line>\d+):(?:(?<column>\d+):)? ?(?<message>\S.*)$/,
    read: direct,
  },
  //   File "a.py", line 3, in f: the error itself comes last
  { pattern: /^\s*File "(?<file>[^"]+)", line (?<line>\d+)/, read: direct },
];

function findInLine(line: string, context: Context): Finding | undefined {
  for (const form of forms) {
    const groups = form.pattern.exec(line)?.groups;
    if (groups === undefined) continue;
    const finding = complete(form.read(groups, context), context);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

function direct(groups: Readonly<Record<string, string | undefined>>): Candidate {
  const { file, line, column, level, message } = groups;
  return { file, line, column, level, message };
}

function afterMessage(groups: Readonly<Record<string, string | undefined>>, { said }: Context): Candidate | undefined {
  if (said === undefined) return undefined;
  return { ...direct(groups), level: said.level, message: said.message };
}

function complete(candidate: Candidate | undefined, context: Context): Finding | undefined {
  const path = candidate?.file === undefined ? undefined : context.resolve(candidate.file);
  const line = Number(candidate?.line);
  if (candidate === undefined || path === undefined || !Number.isSafeInteger(line) || line < 1) return undefined;
  const column = Number(candidate.column);
  return {
    path,
    line,
    ...(Number.isSafeInteger(column) && column > 0 ? { column } : {}),
    level: levelOf(candidate.level),
    message: (candidate.message ?? '').trim().slice(0, 1_000) || unknownMessage,
  };
}

function levelOf(word: string | undefined): Finding['level'] {
  switch (word?.toLowerCase()) {
    case 'warning':
      return 'warning';
    case 'note':
    case 'info':
    case 'notice':
      return 'notice';
    default:
      return 'failure';
  }
}

const saying =
  /^\s*(?:✗ |✖ |× |not ok \d+ - |FAIL )?(?<kind>(?:[A-Za-z_.]*(?:Error|Exception)|panic|error(?:\[\w+\])?|warning|AssertionError \[\w+\])): (?<message>\S.*)$/;
const errorText = /^\s*error: ['"|](?<message>.+?)['"]?$/;

/** True when the line is a message that belongs to a place. */
function remember(line: string, context: Context): boolean {
  const groups = saying.exec(line)?.groups ?? errorText.exec(line)?.groups;
  if (groups !== undefined) {
    const kind = groups['kind'] ?? '';
    const named = /Error|Exception|panic/.test(kind) ? `${kind}: ` : '';
    context.said = { message: `${named}${groups['message'] ?? ''}`, level: kind === 'warning' ? 'warning' : 'failure' };
    return true;
  }
  if (line.trim() === '') {
    context.file = undefined;
  } else if (/^\S+$/.test(line)) {
    context.file = context.resolve(line) === undefined ? context.file : line;
  }
  return false;
}

function rank({ level, message }: Finding): number {
  const known = message === unknownMessage ? 0 : 1;
  return (level === 'failure' ? 4 : level === 'warning' ? 2 : 0) + known;
}

/** Without colours and other control sequences. */
export function plain(line: string): string {
  // eslint-disable-next-line no-control-regex
  return line.replace(/\u001b\[[0-9;?]*[A-Za-z]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g, '').replace(/\r$/, '');
}
