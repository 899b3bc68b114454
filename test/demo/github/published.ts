/**
 * GitHub's own published description as a judge of what is said in both directions. Answers, requests and webhooks
 * that do not fit come back as problems in words; nothing is thrown.
 */
import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Exchange } from '../../../src/demo/github/http.ts';
import type { Delivery } from '../../../src/demo/github/webhooks.ts';

interface Operation {
  readonly query: Readonly<Record<string, unknown>>;
  readonly request: unknown;
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Published {
  readonly operations: Readonly<Record<string, Operation>>;
}

interface PublishedWebhooks {
  readonly events: Readonly<Record<string, unknown>>;
}

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'));
}

export const openapi = fixture('openapi') as Published;
export const webhooks = fixture('webhooks') as PublishedWebhooks;

// Making validators is what costs: shared parts are made once, and none is polished.
const ajv = new Ajv({
  strict: false,
  allErrors: true,
  inlineRefs: false,
  validateSchema: false,
  code: { optimize: false },
});
addFormats.default(ajv);
ajv.addFormat('repo.nwo', true);
ajv.addSchema(openapi, 'openapi');
ajv.addSchema(webhooks, 'webhooks');

function part(document: string, ...path: readonly string[]): ValidateFunction {
  const pointer = path.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const found = ajv.getSchema(`${document}#/${pointer}`);
  if (found === undefined) throw new Error(`no schema at ${document}#/${pointer}`);
  return found;
}

/**
 * Where the published description cannot be right: its list of events in check suites is older than merge queues, and
 * in the list of installations an account would have to be a user and an enterprise at once.
 */
const mistakes = [
  /\/check_suite\/app\/events\/\d+ must be equal to one of the allowed values/,
  /^GET \/app\/installations 200: answer \/\d+\/account must /,
];

function problems(check: ValidateFunction, value: unknown, what: string): readonly string[] {
  if (check(value)) return [];
  return (check.errors ?? [])
    .map((error) => `${what} ${error.instancePath} ${error.message} (${JSON.stringify(error.params)})`)
    .filter((problem) => !mistakes.some((mistake) => mistake.test(problem)));
}

/** A lost, failed or cut answer is not judged; a refused request (4xx) is taken to be refused rightly. */
export function judgeExchange(exchange: Exchange): readonly string[] {
  const { operation, method, path, status } = exchange;
  const what = `${method} ${path} ${status}`;
  const known = operation === null ? undefined : openapi.operations[operation];
  if (operation === null || known === undefined) return [`${what}: GitHub publishes no such operation in our subset`];
  if (status === 0 || status >= 400) return [];
  return [
    ...judgeQuery(known, exchange, what),
    ...(known.request === null || exchange.request === null
      ? []
      : problems(part('openapi', 'operations', operation, 'request'), exchange.request, `${what}: request`)),
    ...judgeResponse(operation, known, exchange, what),
  ];
}

function judgeQuery(known: Operation, { query }: Exchange, what: string): readonly string[] {
  return Object.keys(query)
    .filter((name) => known.query[name] === undefined)
    .map((name) => `${what}: unknown query parameter ${name}`);
}

/** GitHub publishes 200 for a suite that exists, and the like: a status without a schema has no body to judge. */
function judgeResponse(operation: string, known: Operation, exchange: Exchange, what: string): readonly string[] {
  const status = String(exchange.status);
  if (!(status in known.responses)) return [`${what}: GitHub publishes no such status`];
  if (known.responses[status] === null || exchange.response === null) return [];
  const check = part('openapi', 'operations', operation, 'responses', status);
  return problems(check, exchange.response, `${what}: answer`);
}

/** `push`, `check-run-created`: what the published description calls this delivery. */
export function publishedName({ event, action }: Pick<Delivery, 'event' | 'action'>): string {
  return (action === null ? event : `${event}-${action}`).replaceAll('_', '-');
}

export function judgeDelivery(delivery: Delivery): readonly string[] {
  const name = publishedName(delivery);
  if (!(name in webhooks.events)) return [`${name}: GitHub publishes no such webhook in our subset`];
  return problems(part('webhooks', 'events', name), delivery.payload, name);
}
