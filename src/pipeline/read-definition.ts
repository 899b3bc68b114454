import { actionFindings } from './action-checks.ts';
import { conditionFindings } from './condition-checks.ts';
import { declarationShape, type ShapedDeclaration } from './declaration-shape.ts';
import type { PipelineDefinition } from './definition.ts';
import { fillShape } from './fill-shape.ts';
import { toProblem, type Finding, type Locate, type Path } from './finding.ts';
import { isFollowOn } from './follow-on.ts';
import type { Problem } from './problem.ts';
import { countFindings, structureFindings, withinQuotas } from './structure-checks.ts';
import { triggerFindings } from './trigger-checks.ts';
import { variableFindings } from './variable-checks.ts';
import { isV2, v2Findings } from './v2-checks.ts';
import { joinCapitals } from './unknown-key.ts';
import { mostProblems, readSource } from './yaml-source.ts';

export type ReadDefinition =
  | { readonly ok: true; readonly definition: PipelineDefinition; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface ReadOptions {
  /**
   * The stages stand inside another file: `roleArn` and `artifactStore` may be missing, and `name` is given.
   * An embedded pipeline uses neither role nor bucket.
   */
  readonly inline?: boolean;
  readonly name?: string;
  /** Of the pipeline, as messages name it. */
  readonly region?: string;
}

const inlineRole = 'arn:aws:iam::000000000000:role/penstock';
const inlineStore = { type: 'S3', location: 'penstock-artifacts' };

/**
 * Reads a declaration in JSON or YAML, as `aws codepipeline get-pipeline` prints it, as update-pipeline takes it, or bare
 * (CP 1.1). Every problem is told at once, at its line and column; errors of shape come before all others (CP 1.3).
 */
export function readDefinition(text: string, file: string): ReadDefinition {
  const source = readSource(text, file);
  if (!source.ok) return source;
  const { value, locate, problems } = source;
  return withProblems(
    problems,
    isWrapped(value) ? readWrapped(value, locate, file) : readDeclarationValue(value, locate, file),
  );
}

function readWrapped(value: Record<string, unknown>, locate: Locate, file: string): ReadDefinition {
  const result = readDeclarationValue(value['pipeline'], (path) => locate(['pipeline', ...path]), file);
  const strangers = Object.keys(value).filter((key) => key !== 'pipeline' && key !== 'metadata');
  return withProblems(
    strangers.map((key) => toProblem(stranger(key), file, locate)),
    result,
  );
}

function withProblems(problems: readonly Problem[], result: ReadDefinition): ReadDefinition {
  if (problems.length === 0) return result;
  const others = result.ok ? result.warnings : result.problems;
  const all = [...problems, ...others].toSorted(byPlace);
  const isSound = result.ok && problems.every(({ severity }) => severity === 'warning');
  return isSound ? { ...result, warnings: all } : { ok: false, problems: all };
}

/** The same for a declaration that was parsed already; `locate` finds the place of a path inside it. */
export function readDeclarationValue(
  value: unknown,
  locate: Locate,
  file: string,
  options: ReadOptions = {},
): ReadDefinition {
  const declared = options.inline ? completeInline(value, options.name) : value;
  const shaped = declarationShape.safeParse(declared);
  const { region } = options;
  const findings = shaped.success ? allFindings(shaped.data, region) : findingsOfBroken(declared, region);
  const told = findings.toSorted(errorsFirst).slice(0, mostProblems);
  const placed = told.map((finding) => toProblem(finding, file, locate)).toSorted(byPlace);
  const problems = [...placed, ...uncounted(findings.length - told.length, placed)];
  if (!shaped.success || problems.some((problem) => problem.severity === 'error')) return { ok: false, problems };
  return { ok: true, definition: completed(shaped.data), warnings: problems };
}

/** What is wrong with the shape, and what is wrong whatever the shape may be once it is mended. */
function findingsOfBroken(declared: unknown, region: string | undefined): Finding[] {
  if (isTemplate(declared)) return [template];
  const { findings: all, declaration, filled, asWritten } = fillShape(declared);
  const findings = joinCapitals(all);
  if (!declaration) return [...findings];
  const sure = allFindings(declaration, region).filter((finding) => !isFollowOn(finding, filled));
  return [...findings, ...sure.map(asWritten)];
}

function allFindings(declaration: ShapedDeclaration, region: string | undefined): Finding[] {
  const whole = completed(declaration);
  const definition = withinQuotas(whole);
  return [
    ...countFindings(whole),
    ...structureFindings(definition),
    ...v2Findings(declaration),
    ...actionFindings(definition, region),
    ...variableFindings(definition),
    ...triggerFindings(definition),
    ...conditionFindings(definition),
  ];
}

function isTemplate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || 'stages' in value) return false;
  return 'Resources' in value || 'AWSTemplateFormatVersion' in value;
}

const template: Finding = {
  path: [],
  severity: 'error',
  rule: 'CP-1.2',
  exception: 'ValidationException',
  message: 'This is a template of CloudFormation, not the declaration of a pipeline',
  mend: 'Deploy it and take what `aws codepipeline get-pipeline --name <pipeline>` prints.',
};

/** V2 when something of V2 is used and nothing is said (CP 1.2). */
function completed(declaration: ShapedDeclaration): PipelineDefinition {
  return { ...declaration, pipelineType: declaration.pipelineType ?? (isV2(declaration) ? 'V2' : 'V1') };
}

function completeInline(value: unknown, name: string | undefined): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const store = 'artifactStores' in value ? {} : { artifactStore: inlineStore };
  return { ...(name !== undefined && { name }), roleArn: inlineRole, ...store, ...value };
}

function isWrapped(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'pipeline' in value && !('stages' in value);
}

/** Says that there is more, at the place of the last one. */
function uncounted(more: number, told: readonly Problem[]): Problem[] {
  const last = told.at(-1);
  if (more <= 0 || !last) return [];
  const { file, line, column, severity } = last;
  const message = `${more} more problems are not listed.`;
  return [{ severity, file, line, column, path: '', message, mend: 'Mend those above first.' }];
}

function stranger(key: string): Finding {
  return {
    path: [key] satisfies Path,
    severity: 'error',
    rule: 'CP-1.2',
    exception: 'ValidationException',
    message: `Unknown parameter in input: "${key}", must be one of: pipeline, metadata`,
    mend: 'Leave it out.',
  };
}

function errorsFirst(a: Finding, b: Finding): number {
  return Number(a.severity === 'warning') - Number(b.severity === 'warning');
}

function byPlace(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}
