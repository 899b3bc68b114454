import type { StateEvent } from './state-events.ts';

/** Where it happened, and what only the records of the execution know. */
export interface EventPlace {
  readonly account: string;
  readonly region: string;
  /** Of an action. */
  readonly artifacts?: { readonly input: readonly EventArtifact[]; readonly output: readonly EventArtifact[] };
  /** Of a pipeline that STARTED. */
  readonly trigger?: Readonly<Record<string, string>>;
}

export interface EventArtifact {
  readonly name: string;
  readonly location: { readonly bucket: string; readonly key: string };
}

/** The whole event as a receiver of EventBridge gets it. */
export function eventEnvelope(event: StateEvent, { account, region, artifacts, trigger }: EventPlace) {
  const at = ({ name, location: { bucket, key } }: EventArtifact) => ({ name, s3location: { bucket, key } });
  return {
    version: '0',
    id: event.id,
    'detail-type': `CodePipeline ${event.level} Execution State Change`,
    source: 'aws.codepipeline',
    account,
    // EventBridge tells whole seconds.
    time: event.time.replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [`arn:aws:codepipeline:${region}:${account}:${String(event.detail['pipeline'])}`],
    detail: {
      ...event.detail,
      ...(trigger && event.detail['state'] === 'STARTED' ? { 'execution-trigger': trigger } : {}),
      ...(event.level === 'Action' ? { region } : {}),
      ...(artifacts
        ? { 'input-artifacts': artifacts.input.map(at), 'output-artifacts': artifacts.output.map(at) }
        : {}),
    },
  };
}
