import * as fc from 'fast-check';

/** Pieces of Markdown that start, end or fake structure, with commands among them. */
const pieces = [
  '/approve', '/approve Release', '/penstock stop', '/aprove', '/retry x', '> ', '>', '```', '~~~', '`', '``', '    ', '\t',
  '- ', '1. ', '# ', '<!--', '-->', '<details>', '</details>', '<pre>', '</pre>', '<', '>', '[', ']', '](', ')', '![', '*',
  '_', '**', '~~', '|', '---', '===', '\\', '&#47;', '&', '"', "'", '=', '/', '\uFF0F', '\u200B', '\u00A0', '\u202E',
  '\uFEFF', '\0', '\uD800', '👩‍💻', 'é', 'x', ' ', '  ', '\n', '\n', '\n\n', '\r\n', '\r', '\u2028', '[a]: b', '<a href="', '$$',
]; // prettier-ignore

export const hostileMarkdown = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...pieces) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
    ),
    {
      maxLength: 60,
    },
  )
  .map((parts) => parts.join(''));

/** How a text is quoted, fenced or hidden so that nothing in it may be obeyed. */
export const hidings: readonly ((text: string) => string)[] = [
  (text) => text.split(/\r\n|\n|\r/).map((line) => `> ${line}`).join('\n'),
  (text) => text.split(/\r\n|\n|\r/).map((line) => `    ${line}`).join('\n'),
  (text) => `${'`'.repeat(80)}\n${text}\n${'`'.repeat(80)}`,
  (text) => `${'~'.repeat(400)}\n${text}\n${'~'.repeat(400)}`,
  (text) => `<!--\n${text.replaceAll('-->', '')}\n-->`,
  (text) => `<details>\n\n${text.replaceAll(/<\/|<!--|<[?!]/g, '')}`,
]; // prettier-ignore
