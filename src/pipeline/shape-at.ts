import { z } from 'zod';
import { declarationShape } from './declaration-shape.ts';
import type { Path } from './finding.ts';

/** Places in a declaration: how they are written, what may stand there and what does. */

/** Lists are counted from 1 and marked with `.member`. */
export function wirePath(path: Path): string {
  return ['pipeline', ...path.map((part) => (typeof part === 'number' ? `${part + 1}.member` : part))].join('.');
}

/** The shape of the value at a place. */
export function shapeAt(path: Path): z.core.$ZodType {
  return path.reduce<z.core.$ZodType>((shape, part) => inner(unwrap(shape), part), declarationShape);
}

/** The keys that a shape knows. */
export function keysOf(shape: z.core.$ZodType): string[] {
  const found = unwrap(shape);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}

function inner(shape: z.core.$ZodType, part: string | number): z.core.$ZodType {
  if (shape instanceof z.ZodArray) return shape.element;
  if (shape instanceof z.ZodRecord) return shape.valueType;
  return shape instanceof z.ZodObject ? (shape.shape[part] ?? shape) : shape;
}

export function unwrap(shape: z.core.$ZodType): z.core.$ZodType {
  if (shape instanceof z.ZodDefault || shape instanceof z.ZodExactOptional) return unwrap(shape.unwrap());
  return shape;
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, part) => {
    if (typeof at !== 'object' || at === null) return undefined;
    return (at as Record<string | number, unknown>)[part];
  }, value);
}
