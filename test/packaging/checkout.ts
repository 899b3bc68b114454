import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** What the package is made from, beside files that appear only when they are written. */
const parts = [
  'src',
  'migrations',
  'app.yml',
  'package.json',
  'package-lock.json',
  '.npmrc',
  'tsconfig.json',
  'tsconfig.build.json',
];
const optionalParts = ['docs', 'examples', 'LICENSE', 'README.md', 'CHANGELOG.md'];

/** Copies the sources, so that packing does not touch the checkout; dependencies are linked. */
export function copyCheckout(to: string): void {
  mkdirSync(to, { recursive: true });
  for (const part of parts) cpSync(join(root, part), join(to, part), { recursive: true });
  for (const part of optionalParts.filter((part) => existsSync(join(root, part)))) {
    cpSync(join(root, part), join(to, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'));
}

/** `npm pack` as for a release, `prepack` included. Answers the tarball's path. */
export function pack(checkout: string, destination: string): string {
  const run = spawnSync('npm', ['pack', '--json', '--pack-destination', destination], {
    cwd: checkout,
    encoding: 'utf8',
  });
  const tarball = readdirSync(destination).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack made nothing:\n${run.stdout}\n${run.stderr}`);
  return join(destination, tarball);
}

/** The Node of the system, outside any node_modules, and its version; undefined when there is none. */
export function systemNode(): { readonly file: string; readonly version: string } | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  const file = folders.map((folder) => join(folder, 'node')).find((candidate) => existsSync(candidate));
  if (file === undefined) return undefined;
  return { file, version: spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout.trim() };
}

/** An environment without the Node that npm puts first. */
export function plainEnvironment(): Record<string, string> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return {
    PATH: [dirname(systemNode()?.file ?? process.execPath), ...folders].join(delimiter),
    HOME: process.env['HOME'] ?? '/',
  };
}
