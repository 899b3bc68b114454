import type { OnFailure, PhaseName } from './buildspec.ts';

/** Where a build goes after a phase that failed (CP-B-2, CP-B-3). `upload`: artifacts are still tried. */
export type AfterFailure = 'next' | 'upload' | 'finalize';

export function afterFailure(phase: PhaseName, onFailure: OnFailure): AfterFailure {
  switch (onFailure.kind) {
    case 'abort':
      return 'finalize';
    case 'continue':
      return phase === 'post_build' ? 'upload' : 'next';
    case 'default':
    case 'retry':
      return defaultAfter(phase);
  }
  return onFailure satisfies never;
}

/** A build that failed still runs post_build; a failed preparation ends everything. */
function defaultAfter(phase: PhaseName): AfterFailure {
  switch (phase) {
    case 'install':
    case 'pre_build':
      return 'finalize';
    case 'build':
      return 'next';
    case 'post_build':
      return 'upload';
  }
  return phase satisfies never;
}
