import { missingConfiguration } from './action-types.ts';
import { deployFindings } from './deploy-checks.ts';
import type { StageDeclaration } from './definition.ts';
import { actionError, warning, type Finding } from './finding.ts';
import { refusedAtStart, toRunOnAws } from './runnable.ts';
import { eachAction, type Placed } from './structure-checks.ts';
import { variableReferences } from './variables.ts';

/** What single providers ask for beyond their lists of keys (CP 5.1 to 5.4). Values with variables are not judged. */
export function providerFindings(placed: Placed): Finding[] {
  const { provider, category } = placed.action.actionTypeId;
  if (provider === 'CodeBuild') return [...buildFindings(placed), ...variableListFindings(placed)];
  if (provider === 'Commands') return commandFindings(placed);
  if (category === 'Approval') return summaryFindings(placed);
  if (provider === 'CodeStarSourceConnection') {
    return choiceFindings(placed, 'OutputArtifactFormat', ['CODE_ZIP', 'CODEBUILD_CLONE_REF'], '5.1');
  }
  if (category === 'Invoke' && provider === 'CodePipeline') return callFindings(placed);
  if (provider === 'StepFunctions') return doubtFindings(placed, 'InputType', ['Literal', 'FilePath'], '5.4');
  if (category !== 'Deploy') return [];
  return provider === 'S3' ? bucketFindings(placed) : deployFindings(placed);
}

function buildFindings({ action, path }: Placed): Finding[] {
  const { BatchEnabled: batch, PrimarySource: primary } = action.configuration;
  const { inputArtifacts, name } = action;
  const at = [...path, 'configuration'];
  const found: Finding[] = [];
  if (primary === undefined && inputArtifacts.length > 1) {
    found.push(missing(name, 'PrimarySource', at, 'Name the input artifact that the build starts in.'));
  }
  const names = inputArtifacts.map((artifact) => artifact.name);
  if (primary !== undefined && !isVariable(primary) && names.length > 0 && !names.includes(primary)) {
    const message = `PrimarySource '${primary}' is no input artifact of action '${name}', so the build will fail`;
    found.push(warning([...at, 'PrimarySource'], '5.2', message, `Write one of ${names.join(', ')}.`));
  }
  if (action.configuration['CombineArtifacts'] === 'true' && batch === undefined) {
    const message = `CombineArtifacts of action '${name}' works with batch builds only`;
    found.push(warning([...at, 'CombineArtifacts'], '5.2', message, 'Leave it out.'));
  }
  if (batch === 'true') {
    const message = `The embedded engine runs no batch builds, and action '${name}' asks for one.`;
    const mend = `Leave out BatchEnabled. ${toRunOnAws}`;
    found.push({ ...warning([...at, 'BatchEnabled'], 'P-6', message, mend), exception: refusedAtStart });
  }
  return found;
}

const variableTypes = ['PLAINTEXT', 'PARAMETER_STORE', 'SECRETS_MANAGER'];

function variableListFindings(placed: Placed): Finding[] {
  const { action, path } = placed;
  const text = action.configuration['EnvironmentVariables'];
  const flags = ['BatchEnabled', 'CombineArtifacts'].flatMap((key) =>
    doubtFindings(placed, key, ['true', 'false'], '5.2'),
  );
  if (text === undefined || isVariable(text)) return flags;
  const at = [...path, 'configuration', 'EnvironmentVariables'];
  const what = `EnvironmentVariables of action '${action.name}'`;
  const list = listOfMaps(text, 'name');
  if (!list) {
    const mend = 'Write it as in [{"name":"CI","value":"true","type":"PLAINTEXT"}].';
    return [...flags, warning(at, '5.2', `${what} is not a JSON list of variables, so the build will fail`, mend)];
  }
  const odd = list.find(({ type = 'PLAINTEXT' }) => !variableTypes.includes(String(type)));
  if (!odd) return flags;
  const message = `${what} has the type '${String(odd['type'])}', so the build will fail`;
  return [...flags, warning(at, '5.2', message, `Write ${variableTypes.join(', ')} or leave it out.`)];
}

/** Anything but true lets blank answers through. */
function summaryFindings(placed: Placed): Finding[] {
  const isClear = /^(?:true|false)$/i.test(placed.action.configuration['IsSummaryRequired'] ?? 'false');
  return isClear ? [] : doubtFindings(placed, 'IsSummaryRequired', ['true', 'false'], 'A-7');
}

/** The service takes commands of one line each; here a longer one runs as it is. */
function commandFindings({ action, path }: Placed): Finding[] {
  return action.commands.flatMap((command, index) => {
    const at = [...path, 'commands', index];
    const outside = wordsOfOthers(command).map((text) => {
      const message = `Action '${action.name}' has ${text} in a command, and the shell obeys what anybody wrote there`;
      const mend = 'Give it as the value of an environment variable, and write "$NAME" in the command.';
      return warning(at, 'V-1', message, mend);
    });
    if (!command.trim().includes('\n')) return outside;
    const message = `Action '${action.name}' has a command of several lines, which CodePipeline does not take`;
    return [...outside, warning(at, '5.2', message, 'Write one command for each line.')];
  });
}

/** Output variables of sources that hold text of whoever made the commit or the pull request. */
const outsideKeys: ReadonlySet<string> = new Set([
  'BranchName',
  'CommitMessage',
  'PullRequestTitle',
  'SourceBranchName',
]);

/** References are replaced as text (CP-V-1), so a value that is a command becomes one (SEC-D-02). */
function wordsOfOthers(command: string): readonly string[] {
  return variableReferences(command).flatMap(({ text, key }) => (outsideKeys.has(key) ? [text] : []));
}

/** CP 5.4. */
function callFindings({ action, path }: Placed): Finding[] {
  return ['Variables', 'SourceRevisions'].flatMap((key) => {
    const text = action.configuration[key];
    if (text === undefined || isVariable(text) || listOfMaps(text, key === 'Variables' ? 'name' : 'actionName'))
      return [];
    const message = `${key} of action '${action.name}' is not a JSON list of what StartPipelineExecution takes, so the action will fail`;
    const mend =
      key === 'Variables'
        ? 'Write it as in [{"name":"TAG","value":"v1"}].'
        : 'Write it as in [{"actionName":"App","revisionType":"COMMIT_ID","revisionValue":"…"}].';
    return [warning([...path, 'configuration', key], '5.4', message, mend)];
  });
}

function bucketFindings(placed: Placed): Finding[] {
  const { action, path } = placed;
  const { Extract: extract, ObjectKey: key } = action.configuration;
  const needsKey = extract === 'false' && key === undefined;
  return [
    ...choiceFindings(placed, 'Extract', ['true', 'false'], '5.3'),
    ...(needsKey
      ? [missing(action.name, 'ObjectKey', [...path, 'configuration'], 'Add ObjectKey, or set Extract to "true".')]
      : []),
  ];
}

function choiceFindings({ action, path }: Placed, key: string, known: readonly string[], rule: string): Finding[] {
  const value = action.configuration[key];
  if (value === undefined || isVariable(value) || known.includes(value)) return [];
  const message = `${key} of action '${action.name}' cannot be '${value}'`;
  return [actionError([...path, 'configuration', key], rule, message, `Write ${known.join(' or ')}.`)];
}

/** The same where nobody knows whether the service refuses it. */
function doubtFindings(placed: Placed, key: string, known: readonly string[], rule: string): Finding[] {
  return choiceFindings(placed, key, known, rule).map(({ path, message, mend }) => warning(path, rule, message, mend));
}

function missing(action: string, key: string, at: Finding['path'], mend: string): Finding {
  return actionError(at, 'D-11', missingConfiguration(action, key), mend);
}

/** CP-F-12: what a source with CODEBUILD_CLONE_REF puts out is no archive, and only builds know what to do with it. */
export function cloneFindings({ action, path }: Placed, stages: readonly StageDeclaration[]): Finding[] {
  const { provider, category } = action.actionTypeId;
  if (provider === 'CodeBuild' || category === 'Approval') return [];
  const clones = eachAction(stages).filter((one) => one.action.configuration['OutputArtifactFormat'] === clone);
  const names = clones.flatMap((one) => one.action.outputArtifacts.map((artifact) => artifact.name));
  return action.inputArtifacts.flatMap(({ name }, index) => {
    if (!names.includes(name)) return [];
    const message = `Artifact '${name}' is a reference to clone, which action '${action.name}' cannot unpack`;
    const mend = `Only CodeBuild actions take it: write OutputArtifactFormat CODE_ZIP, or use the output of a build.`;
    return [warning([...path, 'inputArtifacts', index, 'name'], 'F-12', message, mend)];
  });
}

const clone = 'CODEBUILD_CLONE_REF';

function isVariable(value: string): boolean {
  return value.includes('#{');
}

function listOfMaps(text: string, key: string): readonly Record<string, unknown>[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    const isMap = (one: unknown) => typeof one === 'object' && one !== null && key in one;
    return Array.isArray(list) && list.every(isMap) ? (list as Record<string, unknown>[]) : undefined;
  } catch {
    return undefined;
  }
}
