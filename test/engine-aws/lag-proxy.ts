import type { WireAnswer, WireCall } from './aws-wire.ts';
import type { Between } from './door-world.ts';

type Document = Readonly<Record<string, unknown>>;

/** What one read would have answered from that moment on; lists whole. */
interface Snapshot {
  readonly at: number;
  readonly document: Document;
}

interface List {
  readonly operation: string;
  readonly member: string;
}

const lists: Readonly<Record<string, List>> = {
  executions: { operation: 'ListPipelineExecutions', member: 'pipelineExecutionSummaries' },
  actions: { operation: 'ListActionExecutions', member: 'actionExecutionDetails' },
  rules: { operation: 'ListRuleExecutions', member: 'ruleExecutionDetails' },
};

const oldestMs = 10_000;

/**
 * CodePipeline on its worst day, in front of a door that is always right. Each read is answered from a moment of its own,
 * up to ten seconds ago, so that two reads disagree and a later one may know less; lists come in no order, on short pages,
 * some of them empty; tokens come late; values and fields stand in the answers that nobody knows; in PARALLEL mode the
 * state knows no executions. Writes pass. The same seed is the same day.
 */
export function lagProxy(door: WireCall, now: () => number, seed: number): Between {
  const chance = seeded(seed);
  const history = new Map<string, Snapshot[]>();
  /** When each token was first there. */
  const tokens = new Map<string, number>();
  const remember = (key: string, document: Document): void => {
    for (const token of tokensIn(document)) if (!tokens.has(token)) tokens.set(token, now());
    const known = history.get(key) ?? [];
    history.set(key, [...known, { at: now(), document }]);
  };
  const recall = (key: string, first = false): { document: Document; at: number } | undefined => {
    const known = history.get(key) ?? [];
    const moment = now() - chance() * oldestMs;
    return known.findLast(({ at }) => at <= moment) ?? (first ? known[0] : undefined);
  };
  return {
    changed: (name) => takeSnapshots(door, name, remember),
    call: async (operation, input) => {
      const read = readOf(operation, input);
      if (!read) return door(operation, input);
      if (read.list) return page(history, recall, read.key, { ...read.list, input, chance });
      const found = recall(read.key, operation !== 'GetPipelineExecution');
      if (!found) return refused('PipelineExecutionNotFoundException', 'no such execution yet');
      return answer(garble(withoutLateTokens(found.document, tokens, now() - chance() * oldestMs), chance));
    },
  };
}

interface Input {
  readonly name?: string;
  readonly pipelineName?: string;
  readonly pipelineExecutionId?: string;
  readonly filter?: { readonly pipelineExecutionId?: string };
  readonly version?: number;
  readonly nextToken?: string;
}

function readOf(operation: string, input: Input): { key: string; list?: List } | undefined {
  const name = input.pipelineName ?? input.name ?? '';
  const execution = input.pipelineExecutionId ?? input.filter?.pipelineExecutionId ?? '';
  switch (operation) {
    case 'GetPipelineState':
      return { key: `${name}/state` };
    case 'GetPipeline':
      return input.version === undefined ? { key: `${name}/declaration` } : undefined;
    case 'GetPipelineExecution':
      return { key: `${name}/${execution}` };
    default: {
      const [kind, list] = Object.entries(lists).find(([, one]) => one.operation === operation) ?? [];
      return list && { key: `${name}/${execution}/${kind}`, list };
    }
  }
}

async function takeSnapshots(
  door: WireCall,
  name: string,
  remember: (key: string, document: Document) => void,
): Promise<void> {
  const read = async (operation: string, input: object) =>
    JSON.parse((await door(operation, input)).body) as Record<string, unknown>;
  const whole = async (list: List, input: object): Promise<Document> => {
    const items: unknown[] = [];
    for (let token: unknown; ;) {
      const part = await read(list.operation, { ...input, ...(token === undefined ? {} : { nextToken: token }) });
      items.push(...((part[list.member] as unknown[] | undefined) ?? []));
      token = part['nextToken'];
      if (token === undefined) return { [list.member]: items };
    }
  };
  remember(`${name}/state`, await read('GetPipelineState', { name }));
  remember(`${name}/declaration`, await read('GetPipeline', { name }));
  const { executions, actions, rules } = lists as Required<typeof lists>;
  const all = await whole(executions!, { pipelineName: name });
  remember(`${name}//executions`, all);
  for (const { pipelineExecutionId } of all['pipelineExecutionSummaries'] as { pipelineExecutionId: string }[]) {
    const about = { pipelineName: name, pipelineExecutionId };
    remember(`${name}/${pipelineExecutionId}`, await read('GetPipelineExecution', about));
    const filtered = { pipelineName: name, filter: { pipelineExecutionId } };
    remember(`${name}/${pipelineExecutionId}/actions`, await whole(actions!, filtered));
    remember(`${name}/${pipelineExecutionId}/rules`, await whole(rules!, filtered));
  }
}

/** One to three items of a list in no order; a token belongs to the list as it stood on its first page. */
function page(
  history: ReadonlyMap<string, readonly Snapshot[]>,
  recall: (key: string) => { document: Document; at: number } | undefined,
  key: string,
  { member, input, chance }: List & { readonly input: Input; readonly chance: () => number },
): WireAnswer {
  const [begun, from, order] =
    input.nextToken === undefined
      ? [recall(key)?.at ?? 0, 0, Math.floor(chance() * 1e9)]
      : (JSON.parse(input.nextToken) as [number, number, number]);
  const known = history.get(key)?.find(({ at }) => at === begun)?.document;
  const items = shuffled((known?.[member] as Document[] | undefined) ?? [], seeded(order));
  const size = Math.floor(chance() * 4);
  const next = from + size < items.length ? { nextToken: JSON.stringify([begun, from + size, order]) } : {};
  return answer({ ...(garble({ [member]: items.slice(from, from + size) }, chance) as Document), ...next });
}

/** A token is published up to ten seconds after its action began. */
function withoutLateTokens(document: Document, tokens: ReadonlyMap<string, number>, before: number): Document {
  return JSON.parse(JSON.stringify(document), (key, value: unknown) =>
    key === 'token' && (tokens.get(String(value)) ?? 0) > before ? undefined : value,
  ) as Document;
}

function tokensIn(document: Document): readonly string[] {
  return Array.from(JSON.stringify(document).matchAll(/"token":"([^"]+)"/g), ([, token = '']) => token);
}

/** Words and members of tomorrow: only where today's reader can take them for something that goes on. */
function garble(document: unknown, chance: () => number): unknown {
  return JSON.parse(JSON.stringify(document), (key, value: unknown) => {
    const isRare = chance() < 0.15;
    if (isRare && (key === 'status' || key === 'type') && value === 'InProgress') return 'Contemplating';
    if (isRare && key === 'triggerType') return 'MoonPhase';
    if (isRare && key === 'latestRetryTrigger' && value === 'ManualStageRetry') return 'RetriedByStars';
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && isRare && key !== 'configuration' ? { ...value, ofTomorrow: { level: 7 } } : value;
  });
}

function answer(document: unknown): WireAnswer {
  return { status: 200, body: JSON.stringify(document) };
}

function refused(type: string, message: string): WireAnswer {
  return { status: 400, body: JSON.stringify({ __type: type, message }) };
}

function shuffled<T>(items: readonly T[], chance: () => number): readonly T[] {
  return items
    .map((item) => ({ item, place: chance() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Numbers from 0 to 1 that a seed makes: small and good enough (splitmix32). */
function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
