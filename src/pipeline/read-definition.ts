import { actionFindings } from './action-checks.ts';
import { conditionFindings } from './condition-checks.ts';
import { declarationShape, type ShapedDeclaration } from './declaration-shape.ts';
import type { PipelineDefinition } from './definition.ts';
import { toProblem, type Finding, type Locate, type Path } from './finding.ts';
import type { Problem } from './problem.ts';
import { shapeFindings } from './shape-findings.ts';
import { structureFindings } from './structure-checks.ts';
import { triggerFindings } from './trigger-checks.ts';
import { variableFindings } from './variable-checks.ts';
import { isV2, v2Findings } from './v2-checks.ts';
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
  const { value, locate } = source;
  if (!isWrapped(value)) return readDeclarationValue(value, locate, file);
  const result = readDeclarationValue(value['pipeline'], (path) => locate(['pipeline', ...path]), file);
  const strangers = Object.keys(value).filter((key) => key !== 'pipeline' && key !== 'metadata');
  if (strangers.length === 0) return result;
  const problems = strangers.map((key) => toProblem(stranger(key), file, locate));
  return { ok: false, problems: result.ok ? problems : [...problems, ...result.problems] };
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
  const findings = shaped.success ? allFindings(shaped.data) : shapeFindings(shaped.error, declared);
  const told = findings.toSorted(errorsFirst).slice(0, mostProblems);
  const problems = told.map((finding) => toProblem(finding, file, locate)).toSorted(byPlace);
  if (!shaped.success || problems.some((problem) => problem.severity === 'error')) return { ok: false, problems };
  return { ok: true, definition: completed(shaped.data), warnings: problems };
}

function allFindings(declaration: ShapedDeclaration): Finding[] {
  const definition = completed(declaration);
  return [
    ...structureFindings(definition),
    ...v2Findings(declaration),
    ...actionFindings(definition),
    ...variableFindings(definition),
    ...triggerFindings(definition),
    ...conditionFindings(definition),
  ];
}

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
