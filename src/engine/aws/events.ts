import { z } from 'zod';

/** Which execution an event is about. Its state is not read from it: events may be forged, late and out of order (CP-E-9). */
export interface AwsEvent {
  readonly account: string;
  readonly region: string;
  readonly pipelineName: string;
  readonly awsId: string;
}

export type EventRead =
  | { readonly kind: 'event'; readonly event: AwsEvent }
  /** A rule sends more than it has to. */
  | { readonly kind: 'other'; readonly why: string }
  | { readonly kind: 'unreadable'; readonly why: string };

/** EventBridge's envelope. */
const envelope = z.object({ source: z.string(), account: z.string(), region: z.string(), detail: z.looseObject({}) });
/** CodePipeline's part of it, as far as we look (CP 7.1). */
const change = z.object({ pipeline: z.string(), 'execution-id': z.string() });
/** A topic between rule and queue wraps what it passes on. */
const notification = z.object({ Type: z.literal('Notification'), Message: z.string() });

export function readEvent(body: unknown): EventRead {
  const wrapped = notification.safeParse(body);
  const read = envelope.safeParse(wrapped.success ? parseJson(wrapped.data.Message) : body);
  if (!read.success) return { kind: 'unreadable', why: 'it is not an event of EventBridge' };
  const { source, account, region, detail } = read.data;
  if (source !== 'aws.codepipeline') return { kind: 'other', why: `it comes from ${source}, not from CodePipeline` };
  const told = change.safeParse(detail);
  if (!told.success) return { kind: 'unreadable', why: 'it names no pipeline and execution' };
  const { pipeline: pipelineName, 'execution-id': awsId } = told.data;
  return { kind: 'event', event: { account, region, pipelineName, awsId } };
}

/** Undefined for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
