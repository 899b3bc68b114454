/** What a shell prints before the text, and in it where a command failed; nobody writes either into a key. */
const begins = '\u001F';
const failed = '\u001E';

/** For a shell: prints the text with its variables and commands put in. One pipe keeps the order of what it says. */
export function keyScript(text: string): string {
  return `exec 2>&1\ncat <<PENSTOCK_END\n${begins}${guarded(text)}\nPENSTOCK_END\n`;
}

export type KeyPrinted =
  | { readonly ok: true; readonly key: string }
  /** What people are told, without a full stop. */
  | { readonly ok: false; readonly why: string };

const longest = 500;

/** Reads what the script printed, on both of its outputs together. */
export function keyPrinted(output: string): KeyPrinted {
  // Complaints of the commands inside come before the text, and so does all that a shell says of bad syntax.
  const [, complaints = '', text] = new RegExp(`^([^${begins}]*)${begins}?(.*)$`, 's').exec(output) ?? [];
  const key = (text ?? '').trim().replace(/\s+/g, ' ').slice(0, longest);
  if (!output.includes(failed) && key !== '') return { ok: true, key };
  const otherwise = output.includes(failed) ? 'a command in it fails' : 'nothing is left of it';
  return { ok: false, why: complaints.trim().slice(0, longest).replace(/\.$/, '') || otherwise };
}

/** A shell goes on when the command of a `$(…)` fails, and puts in nothing; so each of them tells. */
function guarded(text: string): string {
  let written = '';
  for (let at = 0; at < text.length;) {
    const end = text[at] === '\\' ? at + 2 : endOfCommand(text, at);
    const part = text.slice(at, end);
    written += /^(\$\(|`)./s.test(part) ? guard(part) : part;
    at = end;
  }
  return written;
}

/** `$(a)` or its older form in backquotes. The line break ends a comment. */
function guard(call: string): string {
  const [open, close] = call.startsWith('$') ? ['$(', ')'] : ['`', '`'];
  const command = call.slice(open.length, -1);
  // `$(<file)` is a word of bash only when it stands alone.
  return `${open} (${command.trim().startsWith('<') ? `cat ${command}` : command}\n) || printf '${failed}'${close}`;
}

/** Behind the command that begins at `from`, or behind the character there where none does. */
function endOfCommand(text: string, from: number): number {
  if (text[from] === '`') return (/^`(?:\\.|[^`\\])*`/s.exec(text.slice(from))?.[0].length ?? 1) + from;
  if (!text.startsWith('$(', from) || text.startsWith('$((', from)) return from + 1;
  let depth = 0;
  for (const { 0: token, index } of text.slice(from).matchAll(/\\.|'[^']*'|"(?:\\.|[^"\\])*"|[()]/gs)) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (token === ')' && depth === 0) return from + index + 1;
  }
  return from + 1;
}
