import { expect, test } from 'vitest';
import { withoutDeploys } from '../../src/handlers/merge-group.ts';
import { aPipeline } from '../engine/a-pipeline.ts';

const source = { Source: { Checkout: 'CodeStarSourceConnection' } };

const deploys = { category: 'Deploy', owner: 'AWS', provider: 'S3', version: '1' } as const;

test.each([
  [
    'everything, where nothing deploys',
    { Build: { Unit: 'CodeBuild' }, Pack: { Zip: 'Commands' } },
    'Source Build Pack',
  ],
  ['up to a deployment', { Build: { Unit: 'CodeBuild' }, Out: { Ship: { actionTypeId: deploys } } }, 'Source Build'],
  [
    'up to an approval',
    { Build: { Unit: 'CodeBuild' }, Gate: { Approve: 'Manual' }, After: { Tell: {} } },
    'Source Build',
  ],
  [
    'up to another pipeline',
    { Build: { Unit: 'CodeBuild' }, Next: { Tell: {}, Start: 'CodePipeline' } },
    'Source Build',
  ],
  ['nothing, where the first stage after the source asks', { Gate: { Approve: 'Manual' } }, undefined],
])('a merge group runs %s', (_name, stages, left) => {
  expect(
    withoutDeploys(aPipeline({ ...source, ...stages }))
      ?.stages.map(({ name }) => name)
      .join(' '),
  ).toBe(left);
});
