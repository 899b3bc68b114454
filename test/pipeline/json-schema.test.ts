import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { declarationJsonSchema } from '../../src/pipeline/declaration-shape.ts';
import { declarationOf } from './pipelines.ts';

const isDeclaration = new Ajv2020({ strict: false }).compile(declarationJsonSchema());
const legal = {
  roleArn: 'arn:aws:iam::111122223333:role/pipe',
  artifactStore: { type: 'S3', location: 'bucket' },
  ...declarationOf({ stages: { Source: ['App'], Build: ['Unit'] } }),
};

describe('the JSON Schema for editors', () => {
  it.each([
    ['the bare declaration', legal, true],
    ['what get-pipeline prints', { pipeline: legal, metadata: { created: 1 } }, true],
    ['an unknown key', { ...legal, Stages: [] }, false],
    ['no role', { ...legal, roleArn: undefined }, false],
    ['a mode that does not exist', { ...legal, executionMode: 'FAST' }, false],
    ['a stranger beside pipeline', { pipeline: legal, tags: [] }, false],
  ])('%s: %s', (_name, value, expected) => {
    expect(isDeclaration(JSON.parse(JSON.stringify(value)))).toBe(expected);
  });
});
