import { z } from 'zod';

/** Which execution an event is about. Its state is not read from it: events may be forged, late and out of order (CP-E-9). */
export interface AwsEvent {
  readonly account: string;
  readonly region: string;
  readonly pipelineName: string;
  readonly awsId: string;
}

/** EventBridge's envelope, as far as we look (CP 7.1). */
const envelope = z.object({
  source: z.literal('aws.codepipeline'),
  account: z.string(),
  region: z.string(),
  detail: z.object({ pipeline: z.string(), 'execution-id': z.string() }),
});

/** Undefined for anything else that a rule may send. */
export function readEvent(body: unknown): AwsEvent | undefined {
  const read = envelope.safeParse(body);
  if (!read.success) return undefined;
  const { account, region, detail } = read.data;
  return { account, region, pipelineName: detail.pipeline, awsId: detail['execution-id'] };
}
