import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

/** A ZIP of texts by name; a name may carry a mode. */
export async function zipOf(
  files: Readonly<Record<string, string | { readonly text: string; readonly mode: number }>>,
): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) {
    const { text, mode } = typeof content === 'string' ? { text: content, mode: 0o100644 } : content;
    zip.addBuffer(Buffer.from(text), name, { mode });
  }
  zip.end();
  return buffer(zip.outputStream);
}
