import type { Finding, Path } from './finding.ts';

/**
 * Whether a finding only follows from a value that was filled in (`fill-shape.ts`): that value is told already, and the
 * finding may be gone once it is mended.
 */
export function isFollowOn(finding: Finding, filled: readonly Path[]): boolean {
  return filled.some(
    (path) =>
      isWithin(finding.path, path) ||
      (isWithin(path, finding.path) && judgesWhole.has(finding.rule ?? '')) ||
      restsOn(finding, path),
  );
}

/** Rules about a part as a whole, found at its head: counts of artifacts, types, filters, commands, results. */
const judgesWhole = new Set(['CP-D-10', 'CP-D-12', 'CP-D-18', 'CP-D-19', 'CP-D-24', 'CP-C-5']);

const asksForType = new Set(['CP-1.2', 'CP-D-5', 'CP-D-10', 'CP-D-11', 'CP-D-12', 'CP-D-19', 'CP-D-21', 'CP-P-6']);

/** Rules that compare one place with others. */
function restsOn({ rule, path: at, turnsOn }: Finding, filled: Path): boolean {
  const key = filled.findLast((part) => typeof part === 'string');
  const isMissingPart = key === 'stages' || key === 'actions';
  if (filled[4] === 'actionTypeId' && isWithin(at, filled.slice(0, 4)) && asksForType.has(rule ?? '')) return true;
  switch (rule) {
    case 'CP-D-4':
    case 'CP-D-5':
      return isMissingPart;
    case 'CP-D-8':
      return isMissingPart || (key === 'runOrder' && turnsOn === 'order') || filled.includes('outputArtifacts');
    case 'CP-D-14':
      return (
        isMissingPart || (key === 'runOrder' && turnsOn === 'order') || key === 'namespace' || filled[0] === 'variables'
      );
    case 'CP-D-17':
      return isMissingPart || (filled[1] === 0 && (filled.includes('actionTypeId') || key === 'name'));
    case 'CP-V-6':
      return filled[0] === 'variables';
    case 'CP-X-50':
      return key === 'result' && isWithin(filled, at.slice(0, -1));
    case 'CP-1.2':
      return String(filled[0]).startsWith('artifactStore') && at[0] !== 'stages';
    default:
      return false;
  }
}

function isWithin(inner: Path, outer: Path): boolean {
  return outer.every((part, index) => inner[index] === part);
}
