import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/pipeline/problem.ts';
import type { Buildspec } from '../../src/buildspec/buildspec.ts';
import { readBuildspec } from '../../src/buildspec/read-buildspec.ts';

function read(text: string): Buildspec {
  const result = readBuildspec(text, 'buildspec.yml');
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.buildspec;
}

function complaints(text: string): readonly string[] {
  const result = readBuildspec(text, 'b.yml');
  return result.ok ? [] : result.problems.map((problem) => formatProblem(problem).replace(/^b\.yml:/, ''));
}

const phases = 'phases: {build: {commands: [make]}}\n';

describe('a buildspec with everything in it (CP 9.1)', () => {
  const buildspec = read(`
version: 0.2
run-as: builder
env:
  shell: bash
  variables: {MODE: fast, COUNT: 007, ON: true}
  parameter-store: {URL: /app/url}
  secrets-manager: {TOKEN: "app/token:key:AWSCURRENT"}
  exported-variables: [VERSION]
  git-credential-helper: no
proxy: {upload-artifacts: yes, logs: no}
phases:
  post_build: {commands: [echo bye]}
  install:
    run-as: root
    runtime-versions: {nodejs: 24}
    on-failure: RETRY-2-ECONN.*
    commands: [npm ci]
    finally: [ls]
  build:
    on-failure: CONTINUE
    commands:
      - "curl -H 'a: b' x"
      - |
        if true; then
          echo yes
        fi
reports:
  unit: {files: ["out/*.xml"], base-directory: ./out/, file-format: JunitXml}
artifacts:
  files: ["**/*"]
  name: build-$(date)
  type: zip
  base-directory: dist
  discard-paths: yes
  exclude-paths: ["**/*.map"]
  secondary-artifacts:
    docs: {files: [README.md]}
cache: {paths: ["node_modules/**/*"], key: k, fallback-keys: [j], action: restore}
`);

  it('keeps the order of phases, and block scalars as one command (CP-B-1, CP-B-12)', () => {
    expect(buildspec.phases).toEqual([
      {
        name: 'install',
        onFailure: { kind: 'retry', count: 2, pattern: 'ECONN.*' },
        commands: ['npm ci'],
        finally: ['ls'],
      },
      {
        name: 'build',
        onFailure: { kind: 'continue' },
        commands: ["curl -H 'a: b' x", 'if true; then\n  echo yes\nfi\n'],
        finally: [],
      },
      { name: 'post_build', onFailure: { kind: 'default' }, commands: ['echo bye'], finally: [] },
    ]);
  });

  it('keeps values as they are written', () => {
    expect(buildspec.env).toEqual({
      shell: '/bin/bash',
      variables: { MODE: 'fast', COUNT: '007', ON: 'true' },
      parameterStore: { URL: '/app/url' },
      secretsManager: { TOKEN: 'app/token:key:AWSCURRENT' },
      exportedVariables: ['VERSION'],
    });
  });

  it('keeps what is given away', () => {
    expect(buildspec.artifacts).toEqual({
      files: ['**/*'],
      baseDirectory: 'dist',
      discardPaths: true,
      excludePaths: ['**/*.map'],
      enableSymlinks: false,
    });
    expect([...buildspec.secondaryArtifacts]).toEqual([
      [
        'docs',
        { files: ['README.md'], baseDirectory: '', discardPaths: false, excludePaths: [], enableSymlinks: false },
      ],
    ]);
    expect(buildspec.reports).toEqual([
      { name: 'unit', files: ['out/*.xml'], baseDirectory: 'out', format: 'JUNITXML' },
    ]);
    expect(buildspec.cache).toEqual({ paths: ['node_modules/**/*'], key: 'k', fallbackKeys: ['j'], action: 'restore' });
  });

  it('a report group that is named by its ARN is shown by its name (CP-B-10)', () => {
    const arn = 'arn:aws:codebuild:eu-west-1:111122223333:report-group/unit-tests';
    expect(read(`version: 0.2\n${phases}reports: {"${arn}": {files: [a]}}\n`).reports[0]?.name).toBe('unit-tests');
  });

  it('says what has no effect here (CP-B-11)', () => {
    expect(buildspec.notes.join('\n')).toMatch(
      /run-as[^]*proxy:[^]*runtime-versions \(nodejs\)|proxy:[^]*runtime-versions/,
    );
    expect(buildspec.notes.filter((note) => note.startsWith('run-as'))).toHaveLength(1);
    const cached = (paths: string) => read(`version: 0.2\n${phases}cache: {paths: [${paths}]}\n`).notes;
    expect(cached('/usr/lib/x, a, /var/y')).toEqual([
      'cache.paths /usr/lib/x, /var/y have no effect here: files of the source and of the home directory (~/) are kept.',
    ]);
    expect(cached('/root/.npm/**/*, ~/.m2/**/*, node_modules/**/*')).toEqual([]);
  });
});

it.each([
  ['phasess: {build: {commands: [x]}}\nversion: 0.2\n', '"phasess" is not a key here. Did you mean phases?'],
  [`verison: 0.2\n${phases}`, '"verison" is not a key here. Did you mean version?'],
  [`version: 0.2\n${phases}artifacts: {file: [x]}\n`, '"file" is not a key here. Did you mean files?'],
  [`version: 0.2\n${phases}reports: {a: {flies: [x]}}\n`, '"flies" is not a key here. Did you mean files?'],
])('a misspelt key is told once, and not as missing: %j', (text, complaint) => {
  expect(complaints(text)).toEqual([expect.stringContaining(complaint)]);
});

describe('on-failure (CP-B-3)', () => {
  it.each([
    ['ABORT', { kind: 'abort' }],
    ['CONTINUE', { kind: 'continue' }],
    ['RETRY', { kind: 'retry', count: 3 }],
    ['RETRY-0', { kind: 'retry', count: 0 }],
    ['RETRY-100', { kind: 'retry', count: 100 }],
    ['RETRY-timeout|reset', { kind: 'retry', count: 3, pattern: 'timeout|reset' }],
    ['RETRY-5-a-b', { kind: 'retry', count: 5, pattern: 'a-b' }],
  ])('%s', (text, expected) => {
    expect(read(`version: 0.2\nphases: {build: {on-failure: "${text}", commands: [x]}}`).phases[0]?.onFailure).toEqual(
      expected,
    );
  });
  it.each(['RETRY-101', 'abort', 'IGNORE', 'RETRY-', 'RETRY-3-', 'RETRY-(', 'RETRY-2-[a'])('%s is refused', (text) => {
    expect(complaints(`version: 0.2\nphases: {build: {on-failure: "${text}", commands: [x]}}`)[0]).toContain(
      'Write ABORT, CONTINUE, RETRY',
    );
  });
});

describe('every complaint has its line, its column and what to do (CP-B-8, CP-B-12)', () => {
  it.each([
    ['', '1:1: The buildspec is empty. Write at least version: 0.2 and phases with commands.'],
    [phases, '1:1: The version is missing. Write version: 0.2'],
    [`version: 0.3\n${phases}`, '1:10: The version 0.3 is not known. Write version: 0.2'],
    ['version: 0.2\n', '1:1: The buildspec has no phases.'],
    ['version: 0.2\nphases:\n  biuld:\n    commands: [x]\n', '3:3: "biuld" is not a key here. Did you mean build?'],
    [
      'version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b\n',
      '5:9: phases.build.commands[0] is read as a key with a value, because it holds ": ". Put the whole text into quotes.',
    ],
    ['version: 0.2\nphases:\n  build:\n    commands: {make: x}\n', '4:5: phases.build.commands must be a list.'],
    ['version: 0.2\nphases:\n  build:\n    commands: []\n', '2:1: No phase has commands.'],
    ['version: 0.2\nphases: {}\n', '2:1: No phase has commands.'],
    ['version: 0.2\nphases:\n', '2:8: The buildspec has no phases.'],
    ['version: 0.2\nphases: [build]\n', '2:1: phases must be keys with values.'],
    [
      `version: 0.2\nenv: {variables: {LD_PRELOAD: x}}\n${phases}`,
      '2:31: The environment variable LD_PRELOAD cannot be set here.',
    ],
    [`version: 0.2\nenv: {variables: {CODEBUILD_X: x}}\n${phases}`, '2:32: CODEBUILD_X is reserved'],
    [`version: 0.2\nenv: {shell: powershell.exe}\n${phases}`, '2:14: The shell powershell.exe is not run here.'],
    [
      `version: 0.2\nenv: {secrets-manager: {T: s}, exported-variables: [T]}\n${phases}`,
      '2:53: T is a secret and cannot be exported.',
    ],
    [`version: 0.2\nenv: {exported-variables: [AWS_KEY]}\n${phases}`, '2:28: AWS_KEY cannot be exported.'],
    [
      `version: 0.2\n${phases}artifacts: {secondary-artifacts: {a: {files: [x]}}}\n`,
      '3:1: artifacts.files is missing.',
    ],
    [
      `version: 0.2\n${phases}artifacts:\n  files: [x]\n  secondary-artifacts:\n    a-b: {files: [x]}\n`,
      '6:5: Invalid input: identifier must contain only alphanumeric characters and underscores.',
    ],
    [
      `version: 0.2\n${phases}artifacts: {files: [x], base-directory: ../up}\n`,
      '3:41: artifacts.base-directory is "../up". Write a directory below the source',
    ],
    [
      `version: 0.2\n${phases}artifacts: {files: [x], discard-paths: maybe}\n`,
      '3:40: artifacts.discard-paths is "maybe". Write yes or no.',
    ],
    [
      `version: 0.2\n${phases}reports: {a: {file-format: HTML, files: [x]}}\n`,
      '3:28: The report format HTML is not known.',
    ],
    [`version: 0.2\n${phases}batch: {fast-fail: true}\n`, '3:1: Batch builds do not run on the embedded engine.'],
    [`version: 0.2\n${phases}cache: {action: keep}\n`, '3:17: cache.action is "keep".'],
    [
      'version: 0.2\nphases:\n\tbuild: x\n',
      '3:1: The YAML cannot be read: Tabs are not allowed as indentation. Indent with spaces.',
    ],
    [
      'version: 0.2\nversion: 0.2\n',
      '2:1: The YAML cannot be read: the key "version" is written twice. Keep one of them',
    ],
    [`version: 0.2\n${phases}---\na: b\n`, '3:1: The YAML cannot be read: a second document begins here. Remove it'],
    [
      `version: 0.2\n${phases}reports: {a: {files: [x]}}\nArtefacts: {}\n`,
      '4:1: "Artefacts" is not a key here. Did you mean artifacts?',
    ],
    [`version: 0.2\n${phases}post-build: {}\n`, '3:1: "post-build" is not a key here. Known keys: version'],
    [
      'version: 0.2\nphases: {build: {on_failure: ABORT, commands: [x]}}\n',
      '2:18: "on_failure" is not a key here. Did you mean on-failure?',
    ],
    [
      'version: 0.2\nphases:\n  build:\n    commands:\n      - !foo bar\n',
      '5:9: The YAML cannot be read: Unresolved tag: !foo. A text that begins with',
    ],
    [
      'version: 0.2\nphases:\n  build:\n    commands:\n      - "ls" -l\n',
      '5:14: The YAML cannot be read: Unexpected scalar at node end. A text that begins with',
    ],
    ['version: [0.2]\n' + phases, '1:1: version must be a text. Write one text, not a list.'],
    ['- version\n', '1:1: The buildspec must be keys with values.'],
    [
      `version: 0.2\n${phases}artifacts:\n  files:\n    - **/*\n`,
      '5:7: **/* is read as an alias, and nothing is named &*/*. Put a text that begins with "*" into quotes: "**/*".',
    ],
    [`version: 0.2\nenv: {secrets-manager: {T: ""}}\n${phases}`, '2:28: T asks for "". Write secret-id, or'],
    [
      `version: 0.2\nenv: {secrets-manager: {T: "a:b:c:d:e"}}\n${phases}`,
      '2:28: T asks for "a:b:c:d:e". Write secret-id, or',
    ],
    [`version: 0.2\nenv: {parameter-store: {T: }}\n${phases}`, '2:28: T asks for "". Write the name of a parameter.'],
    [
      `version: 0.2\nenv: {variables: {AWS_PROFILE: x}}\n${phases}`,
      '2:32: The environment variable AWS_PROFILE cannot be set here.',
    ],
  ])('%j', (text, expected) => {
    const [first] = complaints(text);
    expect(first?.slice(0, expected.length)).toBe(expected);
  });

  it('tells a mistake once, not what follows from it', () => {
    expect(complaints('version: [0.2]\nphases: {build: {command: [x]}}\nartifacts: {files: {a: b}}\n')).toHaveLength(3);
    expect(complaints('hello\n')).toHaveLength(1);
    expect(complaints('version: 0.2\nphases:\n  build:\n   commands:\n     - ls\n    - rm\n')).toHaveLength(1);
  });

  it('complains about everything at once', () => {
    expect(complaints('version: 1\nphases: {build: {commands: [x], on-failure: no}}\nextra: 1\n')).toHaveLength(3);
  });
});

describe('what other people write (CP-B-12)', () => {
  it.each([
    ['a byte order mark', `\ufeffversion: 0.2\n${phases}`],
    ['lines that end as on Windows', `version: 0.2\r\nphases:\r\n  build:\r\n    commands:\r\n      - make\r\n`],
    ['JSON', JSON.stringify({ version: 0.2, phases: { build: { commands: ['make'] } } })],
    ['marks of a document', `---\nversion: "0.2"\n${phases}...\n`],
    ['a single text for a list', 'version: 0.2\nphases: {build: {commands: make}}\n'],
    ['an anchor', 'version: 0.2\nphases: {install: {commands: &all [make]}, build: {commands: *all}}\n'],
    ['a merge', 'version: 0.2\nphases: {install: &one {commands: [make]}, build: {<<: *one}}\n'],
    [
      'merges',
      'version: 0.2\nphases: {install: &one {commands: [make]}, build: {<<: [*one, {commands: [no]}], finally: [x]}}\n',
    ],
    ['a map that merges itself', 'version: 0.2\nphases: {build: &one {<<: *one, commands: [make]}}\n'],
    ['the region', `version: 0.2\nenv: {variables: {AWS_DEFAULT_REGION: eu-west-1, AWS_ACCOUNT_ID: "1"}}\n${phases}`],
  ])('%s', (_name, text) => {
    expect(read(text).phases.find(({ name }) => name === 'build')?.commands).toEqual(['make']);
  });

  it('a block is one command, and a single text one pattern', () => {
    const { phases: read1, artifacts } = read(
      'version: 0.2\nphases: {build: {commands: "a\\nb"}}\nartifacts: {files: "**/*"}\n',
    );
    expect([read1[0]?.commands, artifacts?.files]).toEqual([['a\nb'], ['**/*']]);
  });
});

describe('hostile files cost nothing (SEC-D-17)', () => {
  it.each([
    ['lists in lists on one line', `version: 0.2\nx: \n${'- '.repeat(20_000)}\n`],
    ['a mistake on every line', `version: 0.2\n${'\ta: b\n'.repeat(3_000)}`],
    [
      'maps that merge maps',
      `a: &a {x: 1}\n${'bcdefghi'
        .split('')
        .map((key, index) => `${key}: &${key} {<<: [${Array(9).fill(`*${'abcdefghi'[index]}`).join(',')}]}`)
        .join('\n')}\n`,
    ],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghi'[index]}`).join(',')}]`)
        .join('\n')}\n`,
    ],
    ['deep nesting', '['.repeat(100_000)],
    ['a huge file', `version: 0.2\n# ${'x'.repeat(300_000)}`],
    ['several documents', 'version: 0.2\n---\nversion: 0.2\n'],
    ['a tag that calls', 'version: !!js/function "x"\n'],
    ['__proto__', 'version: 0.2\nenv: {variables: {__proto__: x}}\n'],
  ])('%s', (_name, text) => {
    const before = process.cpuUsage();
    expect(complaints(text).length).toBeGreaterThan(0);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
  });
});
