import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'yaml';

/** Sends one call as a client of CodePipeline; what the service refuses rejects with `Code: message`. */
export type Send = (operation: string, input: Record<string, unknown>) => Promise<unknown>;

/** What a scenario does besides calls that any client could make. */
export interface CallWorld {
  readonly send: Send;
  /** One request on the wire, signed with this secret or the right one; its status and its error. */
  readonly sendRaw: (operation: string, secret: string | undefined) => Promise<string>;
  readonly settled: () => Promise<void>;
  readonly pass: (seconds: number) => Promise<void>;
  /** What an action printed, without times. */
  readonly logOf: (execution: string, actionExecution: string) => Promise<string>;
  /** Names and texts of an archive that an action wrote. */
  readonly filesAt: (bucket: string, key: string) => Promise<Readonly<Record<string, string>>>;
}

/**
 * A scenario of calls: YAML with `title`, `rules`, `objects` (archives in buckets, by name and file) and values that
 * inputs take by `$name`; `----`; one call a line; `----`; what was answered. A call is
 * `Operation {input} -> part, part`; parts are paths as `stages.0.name`, `*` stands for each. `until` before a call with
 * one part and `= value` asks again until the answer is so; `as name` keeps a part for `$name` and `$name.path`.
 */
export class CallPlay {
  readonly world: CallWorld;
  readonly values: Map<string, unknown>;
  /** What is random is told as `id1`, `id2`, … in the order in which it is shown. */
  readonly names = new Map<string, string>();

  constructor(world: CallWorld, values: Readonly<Record<string, unknown>>) {
    this.world = world;
    this.values = new Map(Object.entries(values));
  }

  async run(lines: readonly string[]): Promise<string> {
    const told: string[] = [];
    for (const line of lines)
      told.push(line.startsWith('#') ? line : [`> ${line}`, ...(await this.step(line))].join('\n  '));
    return told.join('\n');
  }

  async step(line: string): Promise<string[]> {
    const [, verb = '', rest = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    switch (verb) {
      case 'pass':
        await this.world.pass(Number(rest.replace('s', '')));
        return [];
      case 'until':
        return this.until(rest);
      case 'raw': {
        const [operation = '', , secret] = rest.split(' ');
        return [await this.world.sendRaw(operation, secret)];
      }
      case 'log': {
        const [execution, action] = rest.split(' ').map((name) => String(this.value(name)));
        return this.shown(await this.world.logOf(execution ?? '', action ?? ''));
      }
      case 'files': {
        const { bucketName, objectKey, bucket, key } = this.value(rest) as Record<string, string>;
        return this.shown(await this.world.filesAt(bucketName ?? bucket ?? '', objectKey ?? key ?? ''));
      }
      case 'repeat': {
        const [, times = '0', call = ''] = /^(\d+) (.*)$/.exec(rest) ?? [];
        const many = Array.from({ length: Number(times) }, () => readCall(call));
        for (let n = 0; n < many.length; n += 10)
          await Promise.all(many.slice(n, n + 10).map((one) => this.answer(one)));
        await this.world.settled();
        return [];
      }
      default:
        return this.call(readCall(line));
    }
  }

  async call(call: Call): Promise<string[]> {
    const answer = await this.answer(call).catch((error: unknown) => error as Error);
    await this.world.settled();
    if (answer instanceof Error) return this.shown(`refused: ${answer.message}`);
    const parts = call.parts.map((part) => [part, pick(answer, part.split('.')) ?? null] as const);
    if (call.as === undefined) return parts.flatMap(([part, value]) => this.shown({ [part]: value }));
    this.values.set(call.as, parts[0]?.[1]);
    return [];
  }

  async until(line: string): Promise<string[]> {
    const [, words = '', wanted = ''] = /^(.*) = (.*)$/.exec(line) ?? [];
    const call = readCall(words);
    for (const end = Date.now() + 20_000; ;) {
      await this.world.settled();
      const found = pick(await this.answer(call), (call.parts[0] ?? '').split('.'));
      if (isDeepStrictEqual(found, this.filled(parse(wanted)))) return [];
      if (Date.now() > end) return this.shown({ last: found ?? null });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  answer({ operation, input }: Call): Promise<unknown> {
    return this.world.send(operation, this.filled(parse(input === '' ? '{}' : input)) as Record<string, unknown>);
  }

  filled(value: unknown): unknown {
    if (typeof value === 'string' && value.startsWith('$')) return this.value(value);
    // The SDK takes dates.
    if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:]+Z$/.test(value)) return new Date(value);
    if (Array.isArray(value)) return value.map((item) => this.filled(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.filled(item)]));
  }

  value(name: string): unknown {
    const [first = '', ...path] = name.slice(1).split('.');
    if (!this.values.has(first)) throw new Error(`the scenario says ${name}, which is nothing yet`);
    return pick(this.values.get(first), path);
  }

  /** As lines of YAML; times are told as such, and random texts by a name. */
  shown(value: unknown): string[] {
    const text = typeof value === 'string' ? value : stringify(plain(value), { lineWidth: 0, indent: 2 });
    return this.named(text.trimEnd()).split('\n');
  }

  named(text: string): string {
    return text.replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|AKIA[0-9A-Z]{16}/g, (id) => {
      const name = this.names.get(id) ?? `id${this.names.size + 1}`;
      this.names.set(id, name);
      return name;
    });
  }
}

interface Call {
  readonly operation: string;
  readonly input: string;
  readonly parts: readonly string[];
  readonly as: string | undefined;
}

function readCall(line: string): Call {
  const [, operation = '', input = '', parts = '', as] =
    /^(\w+) ?(\{.*\})?(?: -> (.*?))?(?: as (\w+))?$/.exec(line) ?? [];
  if (operation === '') throw new Error(`the scenario says '${line}', which is no call`);
  return { operation, input, parts: parts === '' ? [] : parts.split(', '), as };
}

function pick(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined || key === '') return value;
  if (key === 'length' && Array.isArray(value)) return value.length;
  if (key === '*' && Array.isArray(value)) return value.map((item: unknown) => pick(item, rest));
  if (typeof value !== 'object' || value === null) return undefined;
  return pick((value as Record<string, unknown>)[key], rest);
}

const timeKeys = /^(created|updated|startTime|lastUpdateTime|lastStatusChange|lastChangedAt|approvedAt)$/;

/** The SDK makes dates of times, the CLI prints a number or an ISO date; whatever else stands there is shown. */
function plain(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item, key));
  const isTime = timeKeys.test(key.split('.').at(-1) ?? '') && typeof value !== 'object';
  if (value instanceof Date || isTime) return timeText(value instanceof Date ? value : dateOf(value));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]) => (item === undefined ? [] : [[name, plain(item, name)]])),
  );
}

function dateOf(value: unknown): Date {
  return new Date(typeof value === 'number' ? value * 1000 : String(value));
}

/** One of this hour is no reading matter; one that the scenario gave is. */
function timeText(time: Date): string {
  if (Number.isNaN(time.getTime())) return 'no time';
  return Math.abs(time.getTime() - Date.now()) < 3_600_000 ? 'a time' : time.toISOString();
}
