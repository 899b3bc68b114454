import { actionTypeOf } from './action-types.ts';
import type { ShapedDeclaration } from './declaration-shape.ts';
import { structureError, type Finding, type Path } from './finding.ts';
import { eachAction } from './structure-checks.ts';

/** What only pipelines of type V2 may use (CP-D-16, CP-D-22). */

interface V2Use {
  readonly path: Path;
  readonly what: string;
}

export function isV2(declaration: ShapedDeclaration): boolean {
  return v2Uses(declaration).length > 0;
}

export function v2Findings(declaration: ShapedDeclaration): Finding[] {
  if (declaration.pipelineType !== 'V1') return [];
  return v2Uses(declaration).map(({ path, what }) => {
    if (path[0] === 'variables')
      return structureError(path, 'D-16', 'Pipeline variable can only be used with V2 pipelines', mend);
    return structureError(path, 'D-22', `${what} can only be used with V2 pipelines`, mend);
  });
}

const mend = 'Set pipelineType to V2, or leave it out.';

function v2Uses(declaration: ShapedDeclaration): V2Use[] {
  const uses: V2Use[] = [];
  if (declaration.variables.length > 0) uses.push({ path: ['variables'], what: 'Pipeline variables' });
  if (declaration.triggers.length > 0) uses.push({ path: ['triggers'], what: 'Triggers' });
  if (declaration.executionMode !== 'SUPERSEDED') {
    uses.push({ path: ['executionMode'], what: `Execution mode ${declaration.executionMode}` });
  }
  for (const [index, stage] of declaration.stages.entries()) {
    for (const key of ['beforeEntry', 'onSuccess', 'onFailure'] as const) {
      if (stage[key]) uses.push({ path: ['stages', index, key], what: `Stage conditions (${key})` });
    }
  }
  for (const { action, path } of eachAction(declaration.stages)) {
    if (!actionTypeOf(action.actionTypeId)?.v2Only) continue;
    uses.push({ path: [...path, 'actionTypeId'], what: `Action provider ${action.actionTypeId.provider}` });
  }
  return uses;
}
