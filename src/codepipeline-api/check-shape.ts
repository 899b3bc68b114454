import { ApiError, validationError } from './api-error.ts';
import { shapeNamed, type Shape } from './shapes.ts';

/**
 * Holds a parsed body against the model. Answers a copy with only the members that the model knows and with numbers of
 * seconds turned into dates; what is left out and what is null are the same (CP-W-7).
 * Throws SerializationException for a value of the wrong kind, and ValidationException with every violated constraint in
 * one message (CP 1.3).
 */
export function checkShape(name: string, value: unknown): unknown {
  const violations: string[] = [];
  const checked = check(name, value, '', violations);
  if (violations.length > 0) throw validationError(violations);
  return checked;
}

function check(name: string, value: unknown, path: string, violations: string[]): unknown {
  const shape = shapeNamed(name);
  switch (shape.type) {
    case 'structure':
      return checkStructure(shape, value, path, violations);
    case 'list':
      return checkList(shape, value, path, violations);
    case 'map':
      return checkMap(shape, value, path, violations);
    case 'string':
      if (typeof value !== 'string') throw wrongKind(path, 'a string');
      violations.push(...stringFaults(shape, value).map((fault) => at(path, fault)));
      return value;
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongKind(path, 'an integer');
      violations.push(...sizeFaults(shape, value, 'value').map((fault) => at(path, fault)));
      return value;
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongKind(path, 'a boolean');
      return value;
    case 'timestamp':
      return checkTimestamp(value, path);
    default:
      throw new Error(`shapes.json has a type ${shape.type}`);
  }
}

function checkStructure(shape: Shape, value: unknown, path: string, violations: string[]): unknown {
  if (!isObject(value)) throw wrongKind(path, 'a structure');
  const checked: Record<string, unknown> = {};
  for (const [member, memberShape] of Object.entries(shape.members ?? {})) {
    const inner = Object.hasOwn(value, member) ? value[member] : undefined;
    const memberPath = path === '' ? member : `${path}.${member}`;
    if (inner !== undefined && inner !== null) checked[member] = check(memberShape, inner, memberPath, violations);
    else if (shape.required?.includes(member) === true) violations.push(at(memberPath, 'Member must not be null'));
  }
  return checked;
}

function checkList(shape: Shape, value: unknown, path: string, violations: string[]): unknown {
  if (!Array.isArray(value)) throw wrongKind(path, 'a list');
  violations.push(...sizeFaults(shape, value.length, 'length').map((fault) => at(path, fault)));
  // A list beyond its bound is not looked into: the caller hears of the bound, and the message stays short.
  if (value.length > (shape.max ?? mostListed)) return [];
  return value.map((inner: unknown, index) => {
    const innerPath = `${path}.${index + 1}.member`;
    if (inner === null) return violations.push(at(innerPath, 'Member must not be null'));
    return check(shape.member ?? '', inner, innerPath, violations);
  });
}

/** Longer than any list of the model that has no bound of its own needs to be. */
const mostListed = 10_000;

function checkMap(shape: Shape, value: unknown, path: string, violations: string[]): unknown {
  if (!isObject(value)) throw wrongKind(path, 'a map');
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  violations.push(...sizeFaults(shape, entries.length, 'length').map((fault) => at(path, fault)));
  const keyShape = shapeNamed(shape.key ?? '');
  if (entries.some(([key]) => stringFaults(keyShape, key).length > 0)) {
    violations.push(at(path, `Map keys must satisfy constraint: [${constraintsOf(keyShape).join(', ')}]`));
  }
  const valueShape = shapeNamed(shape.value ?? '');
  if (valueShape.type !== 'string') {
    return Object.fromEntries(
      entries.map(([key, inner]) => [key, check(shape.value ?? '', inner, `${path}.${key}.member`, violations)]),
    );
  }
  for (const [key, inner] of entries) if (typeof inner !== 'string') throw wrongKind(`${path}.${key}`, 'a string');
  if (entries.some(([, inner]) => stringFaults(valueShape, String(inner)).length > 0)) {
    violations.push(at(path, `Map value must satisfy constraint: [${constraintsOf(valueShape).join(', ')}]`));
  }
  return Object.fromEntries(entries);
}

function checkTimestamp(value: unknown, path: string): Date {
  const at = typeof value === 'number' ? new Date(value * 1000) : undefined;
  if (at === undefined || Number.isNaN(at.getTime())) throw wrongKind(path, 'a number of seconds since 1970');
  return at;
}

function stringFaults(shape: Shape, value: string): string[] {
  const faults = shape.enum?.includes(value) === false ? [enumFault(shape.enum)] : [];
  faults.push(...sizeFaults(shape, value.length, 'length'));
  const isLong = value.length > (shape.max ?? longestMatched);
  if (shape.pattern !== undefined && !isLong && !patternOf(shape.pattern).test(value)) {
    faults.push(patternFault(shape.pattern));
  }
  if (shape.max === undefined && shape.pattern !== undefined && isLong) faults.push(patternFault(shape.pattern));
  return faults;
}

/** No pattern of the model without a bound fits anything near that long. */
const longestMatched = 2048;

function sizeFaults({ min, max }: Shape, size: number, what: 'length' | 'value'): string[] {
  if (max !== undefined && size > max) return [`Member must have ${what} less than or equal to ${max}`];
  if (min !== undefined && size < min) return [`Member must have ${what} greater than or equal to ${min}`];
  return [];
}

/** What AWS lists of the keys or values of a map: all their constraints, whichever was broken. */
function constraintsOf({ min, max, pattern, enum: values }: Shape): string[] {
  return [
    ...(max === undefined ? [] : [`Member must have length less than or equal to ${max}`]),
    ...(min === undefined ? [] : [`Member must have length greater than or equal to ${min}`]),
    ...(pattern === undefined ? [] : [patternFault(pattern)]),
    ...(values === undefined ? [] : [enumFault(values)]),
  ];
}

function enumFault(values: readonly string[]): string {
  return `Member must satisfy enum value set: [${values.join(', ')}]`;
}

function patternFault(pattern: string): string {
  return `Member must satisfy regular expression pattern: ${pattern}`;
}

const patterns = new Map<string, RegExp>();

function patternOf(pattern: string): RegExp {
  let found = patterns.get(pattern);
  if (!found) patterns.set(pattern, (found = new RegExp(`^(?:${pattern})$`)));
  return found;
}

function at(path: string, fault: string): string {
  return `Value at '${path}' failed to satisfy constraint: ${fault}`;
}

function wrongKind(path: string, wanted: string): ApiError {
  const where = path === '' ? 'The body' : `The value at '${path}'`;
  return new ApiError('SerializationException', `${where} has to be ${wanted}.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
