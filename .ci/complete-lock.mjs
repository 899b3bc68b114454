// The registry this project is built with does not carry every platform's binary packages, so npm leaves them out of
// the lock and a later `npm ci` refuses it. This adds the missing optional entries. Run after a change of dependencies.
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
const os = /(darwin|linux|win32|freebsd|android|openharmony|openbsd|netbsd|sunos|aix)/;
const cpu = /(arm64|x64|ia32|arm(?!64)|ppc64|s390x|riscv64|loong64|mips64el|wasm32)/;

let added = 0;
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] || entry === lock.packages['']) continue;
    const short = name.split('/').pop();
    const found = { os: os.exec(short)?.[1], cpu: cpu.exec(short)?.[1] };
    lock.packages[key] = {
      version,
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      ...(found.os ? { os: [found.os] } : {}),
      ...(found.cpu ? { cpu: [found.cpu] } : {}),
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`lock entries added: ${added}`);
