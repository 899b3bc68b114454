import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';

/** What this server encrypts and signs with; one file, and a key of its own for each purpose. */
export interface ServerSecret {
  /** `about` has to be given again to open it. */
  seal(plain: string, about: string): Buffer;
  /** Throws UserError for what another server's secret sealed. */
  open(sealed: Buffer, about: string): string;
  /** base64url. */
  sign(purpose: string, text: string): string;
}

/** Reads `<home>/api-secret`, made on first use with mode 0600. */
export async function openServerSecret(home: string): Promise<ServerSecret> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  return serverSecretFrom(await readOrMake(join(home, 'api-secret')));
}

function serverSecretFrom(secret: Buffer): ServerSecret {
  const derive = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `penstock ${purpose}`, 32));
  const sealing = derive('seal');
  return {
    seal: (plain, about) => seal(sealing, plain, about),
    open: (sealed, about) => open(sealing, sealed, about),
    sign: (purpose, text) =>
      createHmac('sha256', derive(`sign ${purpose}`))
        .update(text)
        .digest('base64url'),
  };
}

async function readOrMake(file: string): Promise<Buffer> {
  const made = randomBytes(32);
  try {
    await writeFile(file, `${made.toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const text = (await readFile(file, 'utf8')).trim();
  if (/^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, 'hex');
  throw new UserError(
    `${file} is damaged: it has to hold 64 hexadecimal digits. Restore it, or remove it and make new API keys.`,
  );
}

const ivLength = 12;
const tagLength = 16;

function seal(key: Buffer, plain: string, about: string): Buffer {
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(about));
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]);
}

function open(key: Buffer, sealed: Buffer, about: string): string {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivLength))
      .setAAD(Buffer.from(about))
      .setAuthTag(sealed.subarray(ivLength, ivLength + tagLength));
    return Buffer.concat([decipher.update(sealed.subarray(ivLength + tagLength)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new UserError(
      `What was stored for ${about} was encrypted with another secret than <home>/api-secret. Restore that file, or make it anew.`,
      { cause: error },
    );
  }
}
