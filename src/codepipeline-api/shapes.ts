import table from './shapes.json' with { type: 'json' };

/** One shape of CodePipeline's service model; made by generate-shapes.ts. */
export interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  /** Of a list. */
  readonly member?: string;
  /** Of a map. */
  readonly key?: string;
  readonly value?: string;
  /** Bounds of a number, of a length, or of a count. */
  readonly min?: number;
  readonly max?: number;
  /** To be matched by the whole value. */
  readonly pattern?: string;
  readonly enum?: readonly string[];
}

interface OperationFacts {
  /** Name of the input's shape; empty when it has none. */
  readonly input: string;
  readonly output?: string;
  readonly errors: readonly string[];
}

const operations: Readonly<Record<string, OperationFacts>> = table.operations;
const shapes = table.shapes as unknown as Readonly<Record<string, Shape>>;

export function operationFacts(name: string): OperationFacts | undefined {
  return Object.hasOwn(operations, name) ? operations[name] : undefined;
}

export function shapeNamed(name: string): Shape {
  const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  if (!shape) throw new Error(`shapes.json has no shape ${name}`);
  return shape;
}

export const operationNames: readonly string[] = Object.keys(operations);
