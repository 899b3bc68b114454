import { explainingStatements } from './policy-services.ts';
import type { OptionalVerb, PolicySubject } from './policy.ts';

export interface StackParameter {
  readonly ParameterKey: string;
  readonly ParameterValue: string;
}

/** What `aws cloudformation create-stack --parameters` takes for deploy/aws/penstock.yml and one pipeline. */
export function stackParameters(
  subject: PolicySubject,
  verbs: ReadonlySet<OptionalVerb>,
  principal: string,
): readonly StackParameter[] {
  const { externalId, pipelineName } = subject.target;
  const values: Readonly<Record<string, string>> = {
    PenstockPrincipal: principal,
    ExternalId: externalId,
    PipelineName: pipelineName,
    AllowStop: String(verbs.has('stop')),
    AllowRollback: String(verbs.has('rollback')),
    AllowHold: String(verbs.has('hold')),
    AllowOverride: String(verbs.has('override')),
    ...Object.fromEntries(explainingStatements([subject], verbs).map(({ Sid, Resource }) => [Sid, Resource.join(',')])),
  };
  return Object.entries(values).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
}
