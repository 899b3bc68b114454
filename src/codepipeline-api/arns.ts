import { ApiError } from './api-error.ts';
import type { Door } from './door.ts';

/** ARNs as CodePipeline writes them (CP-D-3). */

type ArnDoor = Pick<Door, 'account' | 'region'>;

export function pipelineArn({ account, region }: ArnDoor, name: string): string {
  return `arn:aws:codepipeline:${region}:${account}:${name}`;
}

export function actionArn(
  door: ArnDoor,
  { pipeline, stage, action }: { readonly pipeline: string; readonly stage: string; readonly action: string },
): string {
  return pipelineArn(door, `${pipeline}/${stage}/${action}`);
}

export function webhookArn(door: ArnDoor, name: string): string {
  return pipelineArn(door, `webhook:${name}`);
}

export type Resource =
  | { readonly kind: 'pipeline' | 'webhook'; readonly name: string }
  | { readonly kind: 'actiontype'; readonly category: string; readonly provider: string; readonly version: string };

/** What a tag operation is about. Throws InvalidArnException; a stage or an action has no tags. */
export function resourceOf(arn: string): Resource {
  const [, name = '', rest] = /^arn:[^:]+:codepipeline:[^:]*:[0-9]{12}:([^:]+)(?::(.+))?$/.exec(arn) ?? [];
  if (rest === undefined && /^[A-Za-z0-9.@_-]+$/.test(name)) return { kind: 'pipeline', name };
  if (name === 'webhook' && rest !== undefined) return { kind: 'webhook', name: rest };
  const [owner, category, provider, version] = name === 'actiontype' ? (rest ?? '').split('/') : [];
  if (owner === 'Custom' && category && provider && version) return { kind: 'actiontype', category, provider, version };
  throw new ApiError(
    'InvalidArnException',
    `The ARN ${arn} does not name a pipeline, a webhook or a custom action type.`,
  );
}
