import { readFileSync } from 'node:fs';
import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { UserError } from '../errors.ts';

const holderShape = z.object({ pid: z.int(), processStart: z.string(), host: z.string(), since: z.string() });
type Holder = z.infer<typeof holderShape>;

const touchEveryMs = 10_000;
/** A holder on another machine or container cannot be looked up; it is alive while it touches its file. */
const foreignStaleMs = 60_000;

/**
 * Takes `<directory>.lock` for this process, or throws UserError when a living process holds it. A lock whose process
 * is gone (kill -9, power cut) is replaced. Answers how to release it.
 */
export async function takeLock(directory: string): Promise<() => Promise<void>> {
  const path = `${directory}.lock`;
  const mine = JSON.stringify(thisProcess());
  for (let tries = 0; tries < 5; tries += 1) {
    const taken = await seize(path, mine);
    if (taken.kind === 'mine') return holdLock(path, mine);
    if (taken.kind === 'held') throw inUse(directory, path, taken.holder);
    await sleep(50);
  }
  throw inUse(directory, path, undefined);
}

type Seized =
  | { readonly kind: 'mine' }
  | { readonly kind: 'held'; readonly holder: Holder | undefined }
  /** It changed hands meanwhile. */
  | { readonly kind: 'changed' };

async function seize(path: string, mine: string): Promise<Seized> {
  if (await createWhole(path, mine)) return { kind: 'mine' };
  const found = await readFile(path, 'utf8').catch(() => undefined);
  if (found === undefined) return { kind: 'changed' };
  const holder = parseHolder(found);
  if (await isAlive(path, holder)) return { kind: 'held', holder };
  return { kind: (await replaceStale(path, found, mine)) ? 'mine' : 'changed' };
}

/**
 * A stale lock is replaced in one rename, by whoever holds the right to replace this very content: a lock of its own,
 * replaced the same way when its holder died. Removed first and created after, a slow process could remove the lock
 * that a fast one has just created.
 */
async function replaceStale(path: string, stale: string, mine: string): Promise<boolean> {
  const right = `${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 8)}`;
  if ((await seize(right, mine)).kind !== 'mine') return false;
  try {
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== stale) return false;
    await rename(await writeDraft(path, mine), path);
    return true;
  } finally {
    await rm(right, { force: true });
  }
}

/** Appears with its whole content or not at all: a reader never sees half a lock. */
async function createWhole(path: string, content: string): Promise<boolean> {
  const draft = await writeDraft(path, content);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDraft(path: string, content: string): Promise<string> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, content, { mode: 0o600 });
  return draft;
}

function holdLock(path: string, mine: string): () => Promise<void> {
  const timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), touchEveryMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    if ((await readFile(path, 'utf8').catch(() => '')) === mine) await rm(path, { force: true });
  };
}

async function isAlive(path: string, holder: Holder | undefined): Promise<boolean> {
  if (holder === undefined) return false;
  if (holder.host !== hostname()) {
    const touched = await stat(path).catch(() => undefined);
    return touched !== undefined && Date.now() - touched.mtimeMs < foreignStaleMs;
  }
  return processExists(holder.pid) && processStart(holder.pid) === holder.processStart;
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Tells a process from a later one with the same id: boot and start tick on Linux, nothing elsewhere. */
function processStart(pid: number): string {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '';
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${afterName.split(' ')[19] ?? ''}`;
  } catch {
    return '';
  }
}

function thisProcess(): Holder {
  const { pid } = process;
  return { pid, processStart: processStart(pid), host: hostname(), since: new Date().toISOString() };
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderShape.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function inUse(directory: string, path: string, holder: Holder | undefined): UserError {
  const who = holder ? `process ${holder.pid} on ${holder.host} since ${holder.since}` : 'another process';
  return new UserError(
    `${directory} is in use by ${who}. Stop that process, or set PENSTOCK_HOME to another ` +
      `directory. If that process is certainly gone, delete ${path}.`,
  );
}
