// Writes the commit into the site, so that the page can say which version a visitor looks at.
import { writeFileSync } from 'node:fs';

const commit = process.env.COMMIT_ID ?? '';
if (!/^[0-9a-f]{40}$/.test(commit)) {
  console.error(
    `COMMIT_ID is ${JSON.stringify(commit)}, not a commit: ci/web.pipeline.json sets it from the source action`,
  );
  process.exit(1);
}
writeFileSync('site/version.json', `${JSON.stringify({ commit })}\n`);
console.log(`site/version.json says ${commit.slice(0, 7)}`);
