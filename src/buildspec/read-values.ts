import type { Cursor } from './document.ts';

export function readYesNo(cursor: Cursor, otherwise = false): boolean {
  const text = cursor.text();
  if (text === undefined) return otherwise;
  if (/^(yes|true)$/i.test(text)) return true;
  if (/^(no|false)$/i.test(text)) return false;
  cursor.complain(`${cursor.path} is "${text.slice(0, 40)}".`, 'Write yes or no.');
  return otherwise;
}

/** Texts of a list; a single text stands for a list of one. */
export function readTexts(cursor: Cursor): readonly string[] {
  return cursor.items().flatMap((item) => {
    const text = item.text();
    if (text !== undefined) return [text];
    if (item.node === undefined) item.complain(`${item.path} is empty.`, 'Write a text or remove the entry.');
    return [];
  });
}
