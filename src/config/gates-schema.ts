import { z } from 'zod';
import type { ApproverGroup, Approvers, GatePolicy } from '../commands/gate-policy.ts';
import { defaultApprovers, defaultGatePolicy } from '../commands/gate-policy.ts';
import { duration, durationMs } from './durations.ts';
import { githubLogin, teamName } from './names.ts';
import { rule, strict } from './schema-problems.ts';

/** `gates:` of .github/penstock.yml: src/commands/gate-policy.ts as people write it. */

const count = z.int().min(1).max(20);
const who = {
  permission: z.enum(['write', 'admin']).optional(),
  users: z
    .array(z.union([githubLogin, z.int().positive()]))
    .max(100)
    .optional(),
  teams: z.array(teamName).max(20).optional(),
  codeowners: z.boolean().optional(),
};

/** Deep trees are not needed to say who may approve, and could not be shown. */
const group = strict({ ...who, count: count.optional() });
const nestedGroup = strict({
  ...who,
  count: count.optional(),
  anyOf: z.array(group).min(1).max(10).optional(),
  allOf: z.array(group).min(1).max(10).optional(),
});
const approvers = strict({
  ...who,
  anyOf: z.array(nestedGroup).min(1).max(10).optional(),
  allOf: z.array(nestedGroup).min(1).max(10).optional(),
});

export const gateSchema = strict({
  count: count.optional(),
  from: approvers.optional(),
  allowAuthor: z.boolean().optional(),
  allowLastPusher: z.boolean().optional(),
  allowCommitters: z.boolean().optional(),
  channels: z
    .array(z.enum(['comment', 'button', 'review']))
    .min(1)
    .check(rule((list) => new Set(list).size === list.length, 'names a channel twice.', 'Name each channel once.'))
    .optional(),
  requireSha: z.boolean().optional(),
  // GitHub gives a check run up after 14 days.
  expireAfter: duration('1h', '13d').optional(),
});

export function gatePolicy(written: z.output<typeof gateSchema>): GatePolicy {
  const { from, expireAfter, ...rest } = written;
  return {
    ...defaultGatePolicy,
    ...defined(rest),
    from: approversOf(from ?? {}),
    ...(expireAfter !== undefined && { expireAfterMs: durationMs(expireAfter) }),
  };
}

type WrittenGroup = z.output<typeof nestedGroup>;

function approversOf(written: z.output<typeof approvers>): Approvers {
  const { anyOf, allOf, ...rest } = written;
  return {
    ...defaultApprovers,
    ...defined(rest),
    anyOf: (anyOf ?? []).map(groupOf),
    allOf: (allOf ?? []).map(groupOf),
  };
}

function groupOf(written: WrittenGroup): ApproverGroup {
  const { count: needed, ...rest } = written;
  return { ...approversOf(rest), count: needed ?? 1 };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Defined<T>;
}
