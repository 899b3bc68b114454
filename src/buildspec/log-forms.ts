/** The forms in which compilers, linters and test runners print a place in a file, one line each. */
export interface PlaceForm {
  readonly pattern: RegExp;
  /**
   * Where the message stands: on this line (`here`), before it (`before`, for the first place that follows a message),
   * on the next line that is not empty (`next`), or in the next line that reads as a message (`after`).
   */
  readonly message: 'here' | 'before' | 'next' | 'after';
  /** The line number stands below a line that is the name of the file. */
  readonly fileAbove?: true;
  /** The name of a class stands for its file. */
  readonly extension?: string;
}

/** Every repetition is of characters that the next token cannot begin with: matching stays linear. */
export const placeForms: readonly PlaceForm[] = [
  // ::error file=a.js,line=1,col=2::message
  {
    pattern:
      /^::(?<level>error|warning|notice) (?:[^:]*?,)?file=(?<file>[^,:]+),(?:[^:]*?)?line=(?<line>\d+)(?:[^:]*?col=(?<column>\d+))?[^:]*::(?<message>.*)$/,
    message: 'here',
  },
  // tsc, C#: a.ts(3,5): error TS2322: message
  {
    pattern:
      /^\s*(?<file>[^\s():]+)\((?<line>\d+)(?:,(?<column>\d+))?\): (?<level>error|warning|info)\b:? ?(?<message>.*)$/,
    message: 'here',
  },
  // tsc, pretty: a.ts:3:5 - error TS2322: message
  {
    pattern: /^\s*(?<file>[^\s:]+):(?<line>\d+):(?<column>\d+) - (?<level>error|warning)\b:? ?(?<message>.*)$/,
    message: 'here',
  },
  // Maven: [ERROR] /src/A.java:[3,5] message
  {
    pattern: /^\[(?<level>ERROR|WARNING)\] (?<file>[^\s:]+):\[(?<line>\d+),(?<column>\d+)\] (?<message>.*)$/,
    message: 'here',
  },
  // Surefire: [ERROR]   CalcTest.adds:12 expected: <4> but was: <3>
  {
    pattern: /^\[(?<level>ERROR)\]\s{2,}(?<file>\w+)\.\w+:(?<line>\d+)(?:->\S+)? (?<message>\S.*)$/,
    message: 'here',
    extension: '.java',
  },
  // Kotlin: e: file:///src/A.kt:3:5 message
  {
    pattern: /^(?<level>[ew]): (?<file>(?:file:\/\/)?[^\s:]+):(?<line>\d+):(?<column>\d+):? (?<message>\S.*)$/,
    message: 'here',
  },
  // gcc, clang, javac, mypy: a.c:3:5: error: message
  {
    pattern:
      /^\s*(?<file>[^\s:()"']+):(?<line>\d+)(?::(?<column>\d+))?:? (?<level>(?:fatal )?error|warning|note|info|Error|Warning)\b:? ?(?<message>.*)$/,
    message: 'here',
  },
  // rustc, ruff:    --> src/main.rs:3:5
  { pattern: /^\s*-->\s(?<file>[^\s:]+):(?<line>\d+):(?<column>\d+)$/, message: 'before' },
  // oxlint:   ,-[src/a.js:3:5]
  { pattern: /^\s*(?:,-|╭─)\[(?<file>[^\s:[\]]+):(?<line>\d+):(?<column>\d+)\]$/, message: 'before' },
  // vitest:  ❯ test/a.test.ts:3:5
  { pattern: /^\s*❯ (?:\S+ )?\(?(?<file>[^\s:()]+):(?<line>\d+):(?<column>\d+)\)?$/, message: 'before' },
  // stacks of JavaScript:    at run (file:///src/a.js:3:5), in TAP without "at"
  {
    pattern: /^\s*at (?:[^(]*\()?(?<file>(?:file:\/\/)?[^\s:()]+):(?<line>\d+):(?<column>\d+)\)?$/,
    message: 'before',
  },
  {
    pattern: /^\s+[\w.<>[\] ]+ \((?<file>(?:file:\/\/)?[^\s:()]+):(?<line>\d+):(?<column>\d+)\)$/,
    message: 'before',
  },
  // stacks of Java:    at acme.CalcTest.adds(CalcTest.java:12)
  { pattern: /^\s*at [\w.$<>/]+\((?<file>\w+\.(?:java|kt|scala|groovy)):(?<line>\d+)\)$/, message: 'before' },
  // stacks of .NET:    at N.T.Adds() in /src/T.cs:line 12
  { pattern: /^\s*at [^()]+\([^()]*\) in (?<file>[^\s:]+):line (?<line>\d+)$/, message: 'before' },
  // stacks of Go:     /src/main.go:6 +0x1d
  { pattern: /^\s+(?<file>[^\s:]+\.go):(?<line>\d+) \+0x[0-9a-f]+$/, message: 'before' },
  // RSpec:      # ./spec/sum_spec.rb:5:in 'block'
  { pattern: /^\s*# (?<file>[^\s:]+):(?<line>\d+):in /, message: 'before' },
  // PHPUnit: /src/tests/SumTest.php:12
  { pattern: /^(?<file>\/[^\s:]+\.php):(?<line>\d+)$/, message: 'before' },
  // eslint:   12:5  error  message  rule
  {
    pattern: /^\s+(?<line>\d+):(?<column>\d+)\s+(?<level>error|warning)\s+(?<message>\S.*)$/,
    message: 'here',
    fileAbove: true,
  },
  // PHP: message in /src/a.php on line 3
  { pattern: /^(?<message>.*) in (?<file>[^\s:]+) on line (?<line>\d+)$/, message: 'here' },
  // rust: thread 'tests::adds' panicked at src/lib.rs:6:9:
  {
    pattern: /^thread '[^']*' (?:\(\d+\) )?panicked at (?<file>[^\s:]+):(?<line>\d+):(?<column>\d+):$/,
    message: 'next',
  },
  // minitest: TestSum#test_adds [test/sum_test.rb:5]:
  { pattern: /^\s*[\w:]+#\w+ \[(?<file>[^\s:[\]]+):(?<line>\d+)\]:$/, message: 'next' },
  // CMake Error at CMakeLists.txt:3 (add_executable):
  { pattern: /^CMake (?<level>Error|Warning) at (?<file>[^\s:]+):(?<line>\d+) \([^()]*\):$/, message: 'next' },
  // ShellCheck: In run.sh line 3:
  { pattern: /^In (?<file>\S+) line (?<line>\d+):$/, message: 'after' },
  // make: Makefile:3: *** missing separator.  Stop.
  { pattern: /^(?<file>(?:[^\s:]*\/)?[Mm]akefile):(?<line>\d+): (?<message>\S.*)$/, message: 'here' },
  // go, flake8, pytest: a_test.go:3: message
  {
    pattern: /^\s*(?<file>[^\s:()"']+\.[A-Za-z]{1,6}):(?<line>\d+):(?:(?<column>\d+):)? ?(?<message>\S.*)$/,
    message: 'here',
  },
  // dash, bash: run.sh: 3: Syntax error: message, run.sh: line 3: message
  { pattern: /^(?<file>[^\s:]+): (?:line )?(?<line>\d+): (?:(?<level>warning): )?(?<message>\S.*)$/, message: 'here' },
  // Python:   File "a.py", line 3, in f
  { pattern: /^\s*File "(?<file>[^"]+)", line (?<line>\d+)/, message: 'after' },
];

/** Lines that are a message without a place. `level` is given where it is not a failure. */
export interface MessageForm {
  readonly pattern: RegExp;
  /** The next line that is not empty belongs to it. */
  readonly open?: true;
  /** Of several one after the other the first says it. */
  readonly first?: true;
  readonly level?: 'warning';
}

export const messageForms: readonly MessageForm[] = [
  // jest:   ● sum › adds
  { pattern: /^\s*● (?<message>\S.*)$/, open: true },
  // PHPUnit: 1) SumTest::testAdds
  { pattern: /^\d+\) (?<message>\w[\w\\]*::\w+.*)$/, open: true },
  // .NET:   Error Message:
  { pattern: /^\s*Error Message:(?<message>)$/, open: true },
  // TAP: error: |-
  { pattern: /^\s*error: [|>]-?(?<message>)$/, open: true },
  { pattern: /^\s*error: ['"](?<message>.+?)['"]?$/ },
  // pytest: E       assert 3 == 4
  { pattern: /^E\s{3,}(?<message>\S.*)$/, first: true },
  // RSpec:      Failure/Error: expect(3).to eq(4)
  { pattern: /^\s*Failure\/Error: (?<message>\S.*)$/ },
  // ShellCheck:         ^-- SC2086 (info): Double quote
  { pattern: /^\s*\^-+\^? ?(?:-- )?(?<message>SC\d+ .+)$/ },
  // ruff: F401 [*] `os` imported but unused
  { pattern: /^(?<message>[A-Z]{1,4}\d{3,4} (?:\[\*\] )?\S.*)$/ },
  // oxlint:   ! eslint(no-unused-vars): message
  { pattern: /^\s*[!⚠] (?<message>\S+\([\w-]+\): .+)$/, level: 'warning' },
  { pattern: /^\s*[x×] (?<message>\S+\([\w-]+\): .+)$/ },
  // warning: message
  { pattern: /^\s*warning(?:\[\w+\])?: (?<message>\S.*)$/, level: 'warning' },
  // error[E0308]: message
  { pattern: /^\s*error(?:\[\w+\])?: (?<message>\S.*)$/ },
  // AssertionError [ERR_ASSERTION]: message
  {
    pattern:
      /^\s*(?:✗ |✖ |× |# |not ok \d+ - |FAIL )?(?<message>(?:[A-Za-z_.]*(?:Error|Exception)|panic|AssertionError \[\w+\])(?:: \S.*)?)$/,
  },
];

/** What stands below a message and says more of it. */
export const detail = /^\s*(?:left|right|expected|received|actual|got)\s*: ?\s*\S.*$/i;

/** Where something begins whose message follows, and whose stack may name a better place. */
export const beginForms: readonly RegExp[] = [
  // node --test, as TAP: location: '/src/a.test.js:3:1'
  /^\s*location: '(?<file>[^':]+):(?<line>\d+):(?<column>\d+)'$/,
  // node, of a file that cannot be read or throws: file:///src/a.js:6, in TAP as a comment
  /^(?:# )?(?<file>(?:file:\/\/)?[^\s:()]+\.[cm]?[jt]sx?):(?<line>\d+)$/,
];

/** There it ends: the block of TAP, or what node says as it goes. */
export const beginEnd = /^\s*\.\.\.$|^(?:# )?Node\.js v\d/;
