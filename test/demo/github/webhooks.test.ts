// Sources: "openapi" is GitHub's published description; "docs" is a file of github/docs.
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { beginStory, web, type Received, type Story } from './story.ts';

let story: Story;
let count = 0;
let later = 0;

beforeAll(async () => {
  story = await beginStory({ now: () => new Date(Date.now() + later) });
  await story.github.commit(web, { branch: 'topic', author: 'ada', message: 'One', files: { a: '1\n' } });
  await story.github.openPullRequest(web, { head: 'topic', author: 'ada', title: 'Topic' });
  await story.events();
});
afterAll(() => story.end());
afterEach(() => story.github.faults.clear());

/** One delivery: a comment with a number of its own. */
async function say(): Promise<string> {
  const body = `comment ${(count += 1)}`;
  await story.github.comment(web, 1, 'grace', body);
  return body;
}

function heard(): readonly unknown[] {
  const comments = story.listener.received.filter(({ headers }) => headers['x-github-event'] === 'issue_comment');
  return comments.map(({ payload }) => (payload['comment'] as { body: string }).body);
}

function lastHeard(): Received {
  const received = story.listener.received.at(-1);
  if (received === undefined) throw new Error('nothing was heard');
  return received;
}

function last() {
  const delivery = story.github.deliveries().at(-1);
  if (delivery === undefined) throw new Error('nothing was delivered');
  return delivery;
}

describe('a delivery', () => {
  // docs: validating-webhook-deliveries
  test('is signed over the very bytes that are sent', async () => {
    await say();
    await story.github.settled();
    const { headers, bytes } = lastHeard();
    const signature = createHmac('sha256', 'shared').update(bytes).digest('hex');
    expect(headers['x-hub-signature-256']).toBe(`sha256=${signature}`);
  });

  // openapi webhooks: headers; docs: webhook-events-and-payloads, "installation"
  test('names its event, a GUID, the App and the installation', async () => {
    await say();
    await story.github.settled();
    const { headers, payload } = lastHeard();
    expect(headers['x-github-event']).toBe('issue_comment');
    expect(headers['x-github-delivery']).toMatch(/^[0-9a-f]{8}-/);
    expect(headers['x-github-hook-installation-target-type']).toBe('integration');
    expect(headers['content-type']).toBe('application/json');
    expect(payload['installation']).toMatchObject({ id: story.installation });
  });

  // docs: handling-failed-webhook-deliveries: GitHub does not redeliver by itself
  test('that fails stays failed: nothing is sent again', async () => {
    story.listener.answers.push(500);
    const body = await say();
    await story.github.settled();
    expect(last()).toMatchObject({ statusCode: 500, status: 'Invalid HTTP Response: 500' });
    expect(heard().filter((one) => one === body)).toEqual([body]);
  });

  // docs: handling-failed-webhook-deliveries; best-practices: a redelivery keeps the GUID
  test('can be asked for again by the App, and comes with the same GUID and payload', async () => {
    story.listener.answers.push(503);
    const body = await say();
    await story.github.settled();
    const failed = last();
    const { body: listed } = await story.asApp('GET', '/app/hook/deliveries?per_page=1');
    expect(listed[0]).toMatchObject({ id: failed.id, guid: failed.guid, status_code: 503, redelivery: false });
    const { status } = await story.asApp('POST', `/app/hook/deliveries/${failed.id}/attempts`);
    await story.github.settled();
    expect(status).toBe(202);
    expect(last()).toMatchObject({ guid: failed.guid, redelivery: true, statusCode: 202 });
    expect(last().id).not.toBe(failed.id);
    expect(heard().filter((one) => one === body)).toEqual([body, body]);
  });

  // openapi, apps/list-webhook-deliveries: pages by cursor
  test('log is read newest first, page by page, by cursor', async () => {
    await say();
    await say();
    await story.github.settled();
    const ids: number[] = [];
    let path: string | null = '/app/hook/deliveries?per_page=2';
    while (path !== null && ids.length < 6) {
      const { body, headers } = await story.asApp('GET', path);
      ids.push(...body.map((one: { id: number }) => one.id));
      const next: string | undefined = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
      path = next === undefined ? null : next.replace(story.github.url, '');
    }
    const all = story.github.deliveries().map(({ id }) => id);
    expect(ids).toEqual([...all].reverse().slice(0, 6));
  });

  // docs, data/variables/webhooks.yml: three days
  test('is forgotten after three days', async () => {
    story.listener.answers.push(500);
    await say();
    await story.github.settled();
    const attempts = `/app/hook/deliveries/${last().id}/attempts`;
    later = 3 * 24 * 3_600_000 - 60_000;
    expect((await story.asApp('POST', attempts)).status).toBe(202);
    later += 120_000;
    expect((await story.asApp('POST', attempts)).status).toBe(404);
    await story.github.settled();
    const { body } = await story.asApp('GET', '/app/hook/deliveries');
    expect(body.map((one: { redelivery: boolean }) => one.redelivery)).toEqual([true]);
    later = 0;
  });

  test('carries what was true when it happened, not when it was sent', async () => {
    const held = story.github.faults.holdWebhooks({ action: 'created' });
    const id = await story.github.comment(web, 1, 'grace', 'before');
    await story.github.editComment(id, 'grace', 'after');
    held.release();
    await story.github.settled();
    expect(heard().slice(-2)).toEqual(['after', 'before']);
  });

  test('is logged as failed when the app has no address yet, so that it can be asked for later', async () => {
    story.github.setWebhook(null);
    await say();
    await story.github.settled();
    expect(last()).toMatchObject({ statusCode: 0, status: 'failed to connect to host' });
    story.github.setWebhook(story.listener.url);
    story.github.redeliver(last().id);
    await story.github.settled();
    expect(last().statusCode).toBe(202);
  });
});

describe('faults of webhooks', () => {
  test('dropping leaves a failed delivery in the log, as often as asked', async () => {
    const fault = story.github.faults.dropWebhooks({ event: 'issue_comment', times: 2 });
    const said = [await say(), await say(), await say()];
    await story.github.settled();
    expect(heard()).not.toContain(said[0]);
    expect(heard()).not.toContain(said[1]);
    expect(heard()).toContain(said[2]);
    expect(fault.struck()).toBe(2);
    expect(
      story.github
        .deliveries()
        .slice(-3)
        .map(({ statusCode }) => statusCode),
    ).toEqual([0, 0, 202]);
  });

  test('dropping everything also drops what is asked for again, until it is cancelled', async () => {
    const fault = story.github.faults.dropWebhooks({ times: Infinity });
    const body = await say();
    await story.github.settled();
    story.github.redeliver(last().id);
    await story.github.settled();
    expect(heard()).not.toContain(body);
    fault.cancel();
    story.github.redeliver(last().id);
    await story.github.settled();
    expect(heard()).toContain(body);
  });

  test('duplicating sends one GUID twice', async () => {
    story.github.faults.duplicateWebhooks();
    await say();
    await story.github.settled();
    const guids = story.listener.received.slice(-2).map(({ headers }) => headers['x-github-delivery']);
    expect(guids[0]).toBe(guids[1]);
  });

  test('holding lets what comes after overtake', async () => {
    const held = story.github.faults.holdWebhooks();
    const first = await say();
    const second = await say();
    await story.github.settled();
    expect(heard().at(-1)).toBe(second);
    held.release();
    await story.github.settled();
    expect(heard().at(-1)).toBe(first);
  });

  test('delaying is waited for by settled', async () => {
    story.github.faults.delayWebhooks({ ms: 5, when: ({ event }) => event === 'issue_comment' });
    const body = await say();
    await story.github.settled();
    expect(heard().at(-1)).toBe(body);
  });
});

describe('faults of requests', () => {
  const post = (body: string) => story.call('POST', `/repos/${web}/issues/1/comments`, { body });
  const bodies = () => story.github.comments(web, 1).map(({ body }) => body);

  // stack: a 502 after GitHub did create the check run makes a second one on a blind retry
  test('a lost answer is a 502 after the write took effect', async () => {
    const fault = story.github.faults.loseAnswers({ method: 'POST', path: /comments$/ });
    expect((await post('lost?')).status).toBe(502);
    expect(bodies()).toContain('lost?');
    expect(story.github.writes().at(-1)).toMatchObject({ method: 'POST', status: 502 });
    expect(fault.struck()).toBe(1);
    expect((await post('after')).status).toBe(201);
  });

  test('a lost answer never strikes a read', async () => {
    const fault = story.github.faults.loseAnswers();
    expect((await story.call('GET', `/repos/${web}`)).status).toBe(200);
    expect(fault.struck()).toBe(0);
  });

  // docs: rate-limits-for-the-rest-api, secondary limits
  test('the secondary limit is a 403 with retry-after, and nothing happened', async () => {
    story.github.faults.limitRequests({ path: '/comments', retryAfterSeconds: 7, times: 1 });
    const { status, headers, body } = await post('too much');
    expect([status, headers.get('retry-after')]).toEqual([403, '7']);
    expect(body.message).toContain('secondary rate limit');
    expect(bodies()).not.toContain('too much');
    expect(story.github.writes().some(({ status }) => status === 403)).toBe(false);
  });

  test('a failed request has the status asked for and no effect', async () => {
    story.github.faults.failRequests({ status: 503, path: '/comments' });
    expect((await post('away')).status).toBe(503);
    expect(bodies()).not.toContain('away');
  });

  test('a cut connection has no answer and no effect', async () => {
    const fault = story.github.faults.cutRequests({ path: '/comments' });
    await expect(post('cut')).rejects.toThrow('fetch failed');
    expect(bodies()).not.toContain('cut');
    expect(fault.struck()).toBe(1);
  });

  test('a slow answer comes all the same', async () => {
    const fault = story.github.faults.slowRequests({ ms: 5, path: '/comments' });
    expect((await post('slowly')).status).toBe(201);
    expect(fault.struck()).toBe(1);
  });
});
