import { expect, test } from 'vitest';
import { deadLetterUrl } from '../../src/engine/aws/event-queue.ts';
import { readEvent } from '../../src/engine/aws/events.ts';
import { idleLookMs, lookAfterEventMs, nextLookMs, paceFor, usualPace } from '../../src/engine/aws/pace.ts';

const event = {
  source: 'aws.codepipeline',
  account: '111122223333',
  region: 'eu-west-1',
  detail: { pipeline: 'shop-prod', 'execution-id': 'one', state: 'SUCCEEDED' },
};

test.each<[string, unknown, object]>([
  [
    'a state change',
    event,
    { kind: 'event', event: { account: '111122223333', region: 'eu-west-1', pipelineName: 'shop-prod', awsId: 'one' } },
  ],
  ['one that a topic passed on', { Type: 'Notification', Message: JSON.stringify(event) }, { kind: 'event' }],
  [
    'of another service',
    { ...event, source: 'aws.s3' },
    { kind: 'other', why: 'it comes from aws.s3, not from CodePipeline' },
  ],
  ['without a pipeline', { ...event, detail: {} }, { kind: 'unreadable', why: 'it names no pipeline and execution' }],
  ['a topic’s nonsense', { Type: 'Notification', Message: '{' }, { kind: 'unreadable' }],
  ['nothing', undefined, { kind: 'unreadable', why: 'it is not an event of EventBridge' }],
  ['null', null, { kind: 'unreadable' }],
])('an event is read as far as where to look: %s', (_, body, read) => {
  expect(readEvent(body)).toMatchObject(read);
});

test.each([
  [null, 500],
  [0, 5_000],
  [4_000, 1_000],
  [60_000, 500],
])('events of one moment become one look, and none comes faster than every five seconds: %s', (lookMs, delay) => {
  expect(lookAfterEventMs(lookMs)).toBe(delay);
});

test.each([
  ['just moved', 0, false, null, 5_000],
  ['runs for long', 600_000, false, null, 30_000],
  ['waits for a person', 6 * 3_600_000, true, null, 300_000],
  ['just moved, and events come', 0, false, 60_000, 20_000],
  ['runs for long, and events come', 600_000, false, 60_000, 120_000],
  ['the last event is days old', 600_000, false, 3 * 86_400_000, 30_000],
])('the next look comes sooner after a change, later while a person is awaited or events tell: %s', (...row) => {
  const [, quietMs, waiting, eventMs, delay] = row;
  const at = (chance: number) => nextLookMs(paceFor(usualPace, eventMs), quietMs, waiting, chance);
  expect([at(0), at(0.5), at(1)]).toEqual([delay * 0.8, delay, delay * 1.2]);
});

test('a pipeline of which nothing is known to run is looked at each minute, or every five while events come', () => {
  expect([null, 1_000, 2 * 86_400_000].map(idleLookMs)).toEqual([60_000, 300_000, 60_000]);
});

test.each([
  [
    'https://sqs.eu-west-1.amazonaws.com/111122223333/events',
    '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:111122223333:dead","maxReceiveCount":5}',
    'https://sqs.eu-west-1.amazonaws.com/111122223333/dead',
  ],
  ['https://sqs.eu-west-1.amazonaws.com/111122223333/events', undefined, undefined],
])('the dead-letter queue lies beside its queue: %s %s', (url, policy, dead) => {
  expect(deadLetterUrl(url, policy)).toBe(dead);
});
