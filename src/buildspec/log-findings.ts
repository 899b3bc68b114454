import type { Finding, ResolvePath } from './finding.ts';
import { beginEnd, beginForms, detail, messageForms, placeForms, type PlaceForm } from './log-forms.ts';

const maxFindings = 50;
const maxLineLength = 1_000;
const maxDetails = 2;
const unknownMessage = 'The program failed here.';

/** Messages with a place, in the forms that common compilers and test runners print them. At most 50. */
export function findInLog(lines: readonly string[], resolve: ResolvePath): readonly Finding[] {
  const reading: Reading = { found: new Map(), resolve, details: 0 };
  for (const raw of lines) {
    if (reading.found.size >= maxFindings) break;
    readLine(plain(raw.slice(0, maxLineLength)), reading);
  }
  return [...reading.found.values()].map(({ said, ...place }) => ({
    ...place,
    message: said.message.trim().slice(0, 1_000) || unknownMessage,
  }));
}

/** A message may become longer after its place was found. */
interface Said {
  message: string;
  readonly level: Finding['level'];
  placed: boolean;
  readonly first?: boolean;
}

interface Found extends Omit<Finding, 'message'> {
  readonly said: Said;
}

/** What earlier lines said: some tools print the message first and the place later, or a file above its messages. */
interface Reading {
  readonly found: Map<string, Found>;
  readonly resolve: ResolvePath;
  /** A line that is only the name of a file. */
  file?: string | undefined;
  /** The newest message. */
  said?: Said | undefined;
  /** It takes the next line that is not empty. */
  open?: Said | undefined;
  /** A place that still waits for its message, and whether any next line will do. */
  untold?: { readonly key: string; readonly said: Said; readonly any: boolean } | undefined;
  /** The place of a message whose stack names none. */
  begin?: Candidate | undefined;
  details: number;
}

interface Candidate {
  readonly file: string | undefined;
  readonly line: string | undefined;
  readonly column?: string | undefined;
}

function readLine(line: string, reading: Reading): void {
  if (line.trim() === '') {
    reading.file = undefined;
    return;
  }
  if (begins(line, reading)) return;
  if (beginEnd.test(line)) return endBegun(reading);
  if (takesMessage(line, reading)) return;
  if (findPlace(line, reading)) return;
  if (/^\S+$/.test(line) && reading.resolve(line) !== undefined) reading.file = line;
}

function begins(line: string, reading: Reading): boolean {
  const groups = beginForms.map((form) => form.exec(line)?.groups).find((found) => found !== undefined);
  if (groups === undefined) return false;
  reading.begin = { file: groups['file'], line: groups['line'], column: groups['column'] };
  reading.said = undefined;
  return true;
}

function endBegun(reading: Reading): void {
  const { begin, said } = reading;
  reading.begin = undefined;
  if (begin !== undefined && said !== undefined && !said.placed) keep(reading, begin, said);
}

/** True when the line says something and names no place. */
function takesMessage(line: string, reading: Reading): boolean {
  if (reading.untold?.any === true) {
    tell(reading, line.trim());
    return true;
  }
  if (reading.open !== undefined) {
    const { message } = reading.open;
    reading.open.message =
      message === '' || message.endsWith(':') ? `${message} ${line.trim()}` : `${message}: ${line.trim()}`;
    reading.open = reading.open.message.endsWith(':') ? reading.open : undefined;
    return true;
  }
  const more = reading.said !== undefined && reading.details < maxDetails && detail.test(line);
  if (more && reading.said !== undefined) {
    reading.said.message += `, ${line.trim().replace(/,$/, '')}`;
    reading.details += 1;
    return true;
  }
  return isMessage(line, reading);
}

function isMessage(line: string, reading: Reading): boolean {
  for (const form of messageForms) {
    const message = form.pattern.exec(line)?.groups?.['message'];
    if (message === undefined) continue;
    if (form.first === true && reading.said?.first === true && !reading.said.placed) return true;
    if (reading.untold !== undefined) tell(reading, message);
    else reading.said = { message, level: form.level ?? 'failure', placed: false, first: form.first === true };
    reading.open = form.open === true || message.endsWith(':') ? reading.said : undefined;
    reading.details = 0;
    return true;
  }
  return false;
}

/** Gives the place that waits its message; more of it may follow. */
function tell(reading: Reading, message: string): void {
  const { untold } = reading;
  if (untold === undefined) return;
  untold.said.message = message;
  reading.said = untold.said;
  reading.open = message.endsWith(':') ? untold.said : undefined;
  reading.details = 0;
  reading.untold = undefined;
}

function findPlace(line: string, reading: Reading): boolean {
  for (const form of placeForms) {
    const groups = form.pattern.exec(line)?.groups;
    if (groups !== undefined && placeOf(form, groups, reading)) return true;
  }
  return false;
}

function placeOf(form: PlaceForm, groups: Readonly<Record<string, string | undefined>>, reading: Reading): boolean {
  const file = form.fileAbove === true ? reading.file : groups['file'];
  const candidate = { file: `${file ?? ''}${form.extension ?? ''}`, line: groups['line'], column: groups['column'] };
  if (form.message === 'before') {
    // The stack below an error has many places; the first in the repository is where it is mended.
    if (reading.said === undefined || reading.said.placed) return false;
    if (keep(reading, candidate, reading.said) === undefined) return false;
    reading.details = maxDetails;
    return true;
  }
  const here = form.message === 'here';
  const message = here ? fuller(groups['message'] ?? '', reading.said) : '';
  const said: Said = { message, level: levelOf(groups['level']), placed: true };
  const { untold } = reading;
  const key = keep(reading, candidate, said);
  if (key === undefined) return false;
  // Of the frames of one traceback the innermost stays.
  if (!here && untold !== undefined && untold.key !== key) reading.found.delete(untold.key);
  reading.untold = here ? undefined : { key, said, any: form.message === 'next' };
  return true;
}

/** pytest prints what was compared above the place, and only the kind of the error behind it. */
function fuller(message: string, said: Said | undefined): string {
  if (said === undefined || said.placed || !/^[A-Za-z_.]*(?:Error|Exception)$/.test(message)) return message;
  said.placed = true;
  return said.message.startsWith(message) ? said.message : `${message}: ${said.message}`;
}

function keep(reading: Reading, candidate: Candidate, said: Said): string | undefined {
  const path = candidate.file === undefined ? undefined : reading.resolve(candidate.file);
  const line = Number(candidate.line);
  if (path === undefined || !Number.isSafeInteger(line) || line < 1) return undefined;
  said.placed = true;
  const key = `${path}:${line}`;
  const column = Number(candidate.column);
  const columns = Number.isSafeInteger(column) && column > 0 ? { column } : {};
  const known = reading.found.get(key);
  if (known === undefined || rank(said) > rank(known.said))
    reading.found.set(key, { path, line, ...columns, level: said.level, said });
  return key;
}

function levelOf(word: string | undefined): Finding['level'] {
  switch (word?.toLowerCase()) {
    case 'warning':
    case 'w':
      return 'warning';
    case 'note':
    case 'info':
    case 'notice':
      return 'notice';
    default:
      return 'failure';
  }
}

function rank({ level, message }: Said): number {
  return (level === 'failure' ? 4 : level === 'warning' ? 2 : 0) + (message === '' ? 0 : 1);
}

/** Without colours and other control sequences. */
export function plain(line: string): string {
  // eslint-disable-next-line no-control-regex
  return line.replace(/\u001b\[[0-9;?]*[A-Za-z]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g, '').replace(/\r$/, '');
}
