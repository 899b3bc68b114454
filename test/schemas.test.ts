import { expect, test } from 'vitest';
import { repositoryConfigJsonSchema } from '../src/config/repository.ts';
import { serverConfigJsonSchema } from '../src/config/server.ts';
import { declarationJsonSchema } from '../src/pipeline/declaration-shape.ts';

// Editors read the committed files; `npx vitest run test/schemas.test.ts -u` writes them anew.
test.each([
  ['penstock.yml', repositoryConfigJsonSchema],
  ['penstock.server.yml', serverConfigJsonSchema],
  ['pipeline', declarationJsonSchema],
])('the schema of %s for editors is the one that the reader uses', async (name, schema) => {
  const text = `${JSON.stringify(schema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(`../docs/schemas/${name}.schema.json`);
});
