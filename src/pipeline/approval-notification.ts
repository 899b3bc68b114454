import type { ActionRun } from './execution.ts';

/** What a topic is told when an approval begins to wait (CP-A-11), as JSON. Absent links and texts are left out. */
export interface ApprovalNotification {
  readonly region: string;
  readonly consoleLink: string;
  readonly approval: {
    readonly pipelineName: string;
    readonly stageName: string;
    readonly actionName: string;
    readonly token: string;
    /** To the minute, UTC: `2026-01-12T10:00Z`. */
    readonly expires: string;
    readonly externalEntityLink?: string;
    readonly approvalReviewLink: string;
    readonly customData?: string;
  };
}

export interface ApprovalSite {
  readonly region: string;
  readonly pipeline: string;
  readonly stage: string;
  /** Page of the pipeline, and page where the approval is answered. */
  readonly consoleLink: string;
  readonly reviewLink: string;
  /** With variables resolved. */
  readonly configuration: Readonly<Record<string, string>>;
}

/** Undefined when the run is no approval that waits. */
export function approvalNotification(run: ActionRun, site: ApprovalSite): ApprovalNotification | undefined {
  const { token, deadline, status } = run;
  if (token === undefined || deadline === undefined || status !== 'InProgress') return undefined;
  const { ExternalEntityLink: externalEntityLink, CustomData: customData } = site.configuration;
  return {
    region: site.region,
    consoleLink: site.consoleLink,
    approval: {
      pipelineName: site.pipeline,
      stageName: site.stage,
      actionName: run.action,
      token,
      expires: `${deadline.slice(0, 16)}Z`,
      ...(externalEntityLink !== undefined && { externalEntityLink }),
      approvalReviewLink: site.reviewLink,
      ...(customData !== undefined && { customData }),
    },
  };
}
