import { createHmac, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadJobs } from '../src/db/dead-jobs.ts';
import { recentDeliveries } from '../src/db/deliveries.ts';
import { subscribedEvents } from '../src/github/webhook-event.ts';
import { webhookPath } from '../src/intake.ts';
import { testDatabase } from './database.ts';
import { startWorld, webhookSecret, type World } from './world.ts';

interface Examples {
  readonly name: string;
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

const published = createRequire(import.meta.url)('@octokit/webhooks-examples') as
  readonly Examples[] | { readonly default: readonly Examples[] };
const all = 'default' in published ? published.default : published;

const { open, db } = await testDatabase();
let world: World;

beforeAll(async () => {
  world = await startWorld({ database: open });
});

afterAll(() => world.stop());

test('every published example of our events ends handled or ignored with a reason, and nothing is given up', async () => {
  const ours = all.filter((one) => subscribedEvents.includes(one.name));
  const sent = new Map<string, string>();
  // Installations last: they say anew whose repository it is.
  for (const last of [false, true]) {
    for (const { name, examples } of ours.filter((one) => one.name.startsWith('installation') === last)) {
      for (const payload of examples) sent.set(await post(name, ofOneInstallation(payload)), label(name, payload));
    }
    await world.settled();
  }
  const rows = await recentDeliveries(db, { limit: 1000 });
  const outcomes = rows
    .filter((row) => sent.has(row.guid))
    .map((row) => `${sent.get(row.guid)}: ${row.outcome} (${neutral(row.reason ?? '')})`);
  expect(outcomes).toHaveLength(sent.size);
  expect(outcomes.filter((line) => !/: (handled|ignored) \(.+\)$/.test(line))).toEqual([]);
  expect([...new Set(outcomes)].toSorted()).toMatchSnapshot();
  expect(await deadJobs(db)).toEqual([]);
});

async function post(event: string, payload: unknown): Promise<string> {
  const guid = randomUUID();
  const body = JSON.stringify(payload);
  const signature = `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`;
  const answer = await fetch(`${world.server.url}${webhookPath}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': guid,
      'x-hub-signature-256': signature,
    },
    body,
  });
  expect(answer.status).toBe(202);
  return guid;
}

/** The examples come from many installations of many Apps; one App's deliveries for one repository name one. */
function ofOneInstallation(payload: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { installation, action } = payload;
  if (typeof installation !== 'object' || installation === null || 'app_id' in installation) return payload;
  return { ...payload, action, installation: { ...installation, id: 1 } };
}

function label(event: string, payload: Readonly<Record<string, unknown>>): string {
  return typeof payload['action'] === 'string' ? `${event}.${payload['action']}` : event;
}

/** Ids and addresses differ from run to run. */
function neutral(reason: string): string {
  return reason.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST').replaceAll(/\b\d{4,}\b/g, 'N');
}
