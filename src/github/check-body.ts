import type { RestEndpointMethodTypes } from '@octokit/rest';
import type { AnnotationView } from '../render/view.ts';
import type { CheckRunDraft } from './github.ts';

/** What GitHub's client would take: a misspelt field does not compile. */
type CreateCall = RestEndpointMethodTypes['checks']['create']['parameters'];
type CreateBody = Omit<CreateCall, 'owner' | 'repo'>;
type Body = Pick<
  CreateCall,
  'status' | 'details_url' | 'conclusion' | 'started_at' | 'completed_at' | 'output' | 'actions'
>;
type AnnotationBody = NonNullable<NonNullable<CreateCall['output']>['annotations']>[number];

/** GitHub's limits (its published API description). */
export const mostAnnotationsPerCall = 50;
const longestText = 65_535;
const longestTitle = 255;
const mostButtons = 3;

export function createBody(draft: CheckRunDraft): CreateBody {
  return { name: draft.name, head_sha: draft.headSha, external_id: draft.externalId, ...updateBody(draft, 0) };
}

/** @param from The first annotation to send: GitHub adds to what it has. */
export function updateBody(draft: CheckRunDraft, from: number): Body {
  const annotations = draft.annotations.slice(from, from + mostAnnotationsPerCall).map(annotationBody);
  return {
    status: draft.status,
    details_url: draft.detailsUrl,
    ...(draft.conclusion !== undefined && { conclusion: draft.conclusion }),
    ...(draft.startedAt !== undefined && { started_at: draft.startedAt }),
    ...(draft.completedAt !== undefined && { completed_at: draft.completedAt }),
    output: {
      title: cut(draft.title, longestTitle),
      summary: cut(draft.summary, longestText),
      ...(draft.text !== undefined && { text: cut(draft.text, longestText) }),
      ...(annotations.length > 0 && { annotations }),
    },
    actions: draft.buttons.slice(0, mostButtons).map((button) => ({ ...button })),
  };
}

/** What GitHub cannot refuse: the verdict, and where the rest can be read. */
export function minimal(draft: CheckRunDraft): CheckRunDraft {
  const { text: _, ...rest } = draft;
  const summary = `${cut(draft.summary, 2000)}\n\nGitHub refused the full report. It stands on the page of this execution: see Details.`;
  return { ...rest, summary, annotations: [], buttons: draft.buttons };
}

function annotationBody(annotation: AnnotationView): AnnotationBody {
  return {
    path: annotation.path,
    start_line: annotation.startLine,
    end_line: annotation.endLine,
    // GitHub takes columns only when the annotation stays on one line.
    ...(annotation.startColumn !== undefined &&
      annotation.startLine === annotation.endLine && {
        start_column: annotation.startColumn,
        end_column: annotation.startColumn,
      }),
    annotation_level: annotation.level,
    message: annotation.message,
    ...(annotation.title !== undefined && { title: cut(annotation.title, longestTitle) }),
  };
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
