/** Who is asking: the App by its JWT, or one installation by its token. */
import { randomBytes, verify } from 'node:crypto';
import { ApiError, notFound } from './api-error.ts';
import type { Needs } from './route.ts';
import type { Site } from './site.ts';
import type { Installation, Repository, Token } from './state.ts';

export type Caller =
  { readonly kind: 'nobody' } | { readonly kind: 'app' } | { readonly kind: 'installation'; readonly token: Token };

const hour = 3_600_000;
const longest = 600;
const drift = 60;

export function callerOf(site: Site, authorization: string | undefined): Caller {
  if (authorization === undefined) return { kind: 'nobody' };
  const [scheme = '', value = ''] = authorization.split(' ');
  if (!/^(bearer|token)$/i.test(scheme)) throw new ApiError(401, 'Bad credentials');
  if (value.split('.').length === 3) {
    verifyJwt(site, value);
    return { kind: 'app' };
  }
  return { kind: 'installation', token: findToken(site, value) };
}

export function findToken(site: Site, value: string): Token {
  const token = site.state.tokens.get(value);
  if (token === undefined || token.expiresAt <= site.now()) throw new ApiError(401, 'Bad credentials');
  if (!site.state.installations.has(token.installation.id)) throw new ApiError(401, 'Bad credentials');
  if (token.installation.suspendedAt !== null) throw new ApiError(403, 'This installation has been suspended');
  return token;
}

/** Uses the machine's clock and not the stand-in's: whoever signs the JWT has no other. */
function verifyJwt(site: Site, jwt: string): void {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const claims = parsePart(payload);
  const now = Math.floor(Date.now() / 1000);
  if (parsePart(header)['alg'] !== 'RS256') throw new ApiError(401, 'A JSON web token could not be decoded');
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify('RSA-SHA256', signed, site.app.publicKey, Buffer.from(signature, 'base64url'))) {
    throw new ApiError(401, 'A JSON web token could not be decoded');
  }
  if (String(claims['iss']) !== String(site.app.id))
    throw new ApiError(401, "'Issuer' claim ('iss') must be the App's id");
  const iat = Number(claims['iat']);
  const exp = Number(claims['exp']);
  if (!(iat <= now + drift))
    throw new ApiError(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  if (!(exp > now))
    throw new ApiError(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  if (exp > now + longest + drift) throw new ApiError(401, "'Expiration time' claim ('exp') is too far in the future");
}

function parsePart(part: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  } catch {
    throw new ApiError(401, 'A JSON web token could not be decoded');
  }
}

export function issueToken(
  site: Site,
  installation: Installation,
  repositories: ReadonlySet<number> | null,
  permissions: Readonly<Record<string, string>>,
): Token {
  const value = `ghs_${randomBytes(48).toString('base64url')}`;
  const expiresAt = new Date(site.now().getTime() + hour);
  const token: Token = { value, installation, repositories, permissions, expiresAt, used: 0 };
  site.state.tokens.set(value, token);
  return token;
}

export function reaches(token: Token, repository: Repository): boolean {
  return covers(token.installation, repository) && (token.repositories?.has(repository.id) ?? true);
}

export function covers(installation: Installation, repository: Repository): boolean {
  if (installation.account.id !== repository.owner.id) return false;
  return installation.repositories?.has(repository.id) ?? true;
}

export function holds(permissions: Readonly<Record<string, string>>, need: string): boolean {
  const [permission = '', level] = need.split(':');
  const held = permissions[permission];
  return held === 'write' || (held !== undefined && level === 'read');
}

/** `repository` is null for routes that name none. */
export function demand(caller: Caller, needs: Needs, repository: Repository | null): void {
  if (needs === 'nobody') return;
  if (caller.kind === 'nobody') throw new ApiError(401, 'Requires authentication');
  if (needs === 'app or installation') return;
  if (needs === 'app') {
    if (caller.kind !== 'app') throw new ApiError(401, 'A JSON web token could not be decoded');
    return;
  }
  if (caller.kind !== 'installation') throw new ApiError(403, 'Resource not accessible by integration');
  if (repository !== null && !reaches(caller.token, repository)) throw notFound();
  if (needs === 'installation') return;
  if (!needs.some((need) => holds(caller.token.permissions, need))) {
    const accepted = needs.map((need) => need.replace(':', '=')).join('; ');
    throw new ApiError(403, 'Resource not accessible by integration', {
      headers: { 'x-accepted-github-permissions': accepted },
    });
  }
}
