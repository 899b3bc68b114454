import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer as createHttp } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startEgress, type EgressOptions } from '../../src/buildspec/egress.ts';
import { makeOwnDirectory, temporaryParent } from '../../src/buildspec/own-directory.ts';
import { isPublicAddress } from '../../src/buildspec/public-address.ts';
import { runCommand } from '../../src/buildspec/run-command.ts';
import { availableRungs, makeBox, temporaryDirectory } from './rungs.ts';

const root = await temporaryDirectory();
const contained = (await availableRungs()).filter((isolation) => isolation.contained);

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as { port: number }).port;
}

/** A world where public.example is a web server of this test, and every other name is what the table says. */
const web = await listen(
  createHttp((request, response) => response.end(`web ${request.method} ${request.url} ${request.headers.host}`)),
);
const echo = await listen(createServer((socket) => socket.pipe(socket)));
const names: Readonly<Record<string, readonly string[]>> = {
  'public.example': ['93.184.216.34'],
  'registry.public.example': ['93.184.216.34'],
  'inside.example': ['10.0.0.8'],
  'mixed.example': ['127.0.0.1', '93.184.216.34'],
  'metadata.example': ['169.254.169.254'],
};
const dialled: string[] = [];
const refusals: string[] = [];

function world(change: Partial<EgressOptions> = {}): EgressOptions {
  return {
    allowHosts: [],
    refused: (host, why) => refusals.push(`${host}: ${why}`),
    resolve: (host) => Promise.resolve(names[host] ?? []),
    dial: (address, port) => {
      dialled.push(`${address}:${port}`);
      return connect({ host: '127.0.0.1', port: port === 443 ? echo : web });
    },
    ...change,
  };
}

async function proxy(change: Partial<EgressOptions> = {}): Promise<string> {
  const egress = await startEgress(world(change));
  afterAll(() => egress.close());
  return (await egress.open()).socket;
}

/** Sends bytes to the proxy and gives everything that it answers, until it closes or `until` has come. */
function ask(socket: string, text: string, until?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const client = connect(socket, () => client.write(text));
    client.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
      if (until !== undefined && answer.includes(until)) client.destroy();
    });
    client.on('close', () => resolve(answer));
    client.on('error', reject);
  });
}

describe('what is a public address (SEC-D-13)', () => {
  it.each(['93.184.216.34', '8.8.8.8', '1.1.1.1', '2606:4700::1111', '2a00:1450::1'])('%s is', (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'ff02::1',
    'localhost',
    '0x7f.1',
    '2130706433',
    '',
  ])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('the way out of a sandbox', () => {
  it('tunnels to a public host, at the address that was checked', async () => {
    const socket = await proxy();
    dialled.length = 0;
    expect(await ask(socket, 'CONNECT mixed.example:443 HTTP/1.1\r\nhost: x\r\n\r\nhello', 'hello')).toBe(
      'HTTP/1.1 200 Connection established\r\n\r\nhello',
    );
    expect(dialled).toEqual(['93.184.216.34:443']);
  });

  it('passes plain HTTP on, without what is meant for the proxy', async () => {
    const socket = await proxy();
    const answer = await ask(
      socket,
      'GET http://public.example/a?b=1 HTTP/1.1\r\nhost: ignored.example\r\nproxy-authorization: x\r\nconnection: close\r\n\r\n',
    );
    expect(answer).toContain('web GET /a?b=1 public.example');
  });

  it.each([
    ['CONNECT inside.example:443', 'inside.example is refused, because it is not a public address'],
    ['CONNECT metadata.example:80', 'metadata.example is refused, because it is not a public address'],
    ['CONNECT 169.254.169.254:80', '169.254.169.254 is refused, because it is not a public address'],
    ['CONNECT 127.0.0.1:5432', '127.0.0.1 is refused'],
    ['CONNECT [::1]:5432', '::1 is refused'],
    ['CONNECT [::ffff:127.0.0.1]:80', '::ffff:127.0.0.1 is refused'],
    ['CONNECT 2130706433:80', '2130706433 is refused, because its name has no address'],
    ['CONNECT localhost:80', 'localhost is refused'],
    ['CONNECT public.example:25', 'port 25 is for mail'],
    ['CONNECT public.example:99999', 'it is no host and port'],
    ['CONNECT a@b:80', 'it is no host and port'],
    ['GET http://inside.example/', 'inside.example is refused'],
    ['GET file:///etc/passwd', 'only http URLs'],
  ])('refuses %s', async (line, words) => {
    const socket = await proxy();
    dialled.length = 0;
    const answer = await ask(socket, `${line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 (400 |403 Refused by Penstock: (it is|its name|port))/);
    expect(answer).toContain(words);
    expect(dialled).toEqual([]);
  });

  it('is narrowed by a list of hosts, and tells the server what was refused', async () => {
    const socket = await proxy({ allowHosts: ['*.public.example'] });
    refusals.length = 0;
    expect(await ask(socket, 'CONNECT registry.public.example:443 HTTP/1.1\r\n\r\nx', 'x')).toContain('200');
    expect(await ask(socket, 'CONNECT public.example:443 HTTP/1.1\r\n\r\n')).toContain('403');
    expect(await ask(socket, 'CONNECT evilpublic.example:443 HTTP/1.1\r\n\r\n')).toContain('403');
    expect(refusals).toEqual([
      'public.example: it is not among embedded.allowHosts',
      'evilpublic.example: it is not among embedded.allowHosts',
    ]);
  });
});

describe('a host that a build talks to through the proxy cannot harm the server (SEC-C-14)', () => {
  const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
  it.each([
    ['a status that is none', '', 'HTTP/1.1 000 x\r\n\r\n', '502'],
    ['a status below 100', '', 'HTTP/1.1 099 x\r\n\r\n', '502'],
    [
      'another protocol',
      'upgrade: websocket\r\n',
      'HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: w\r\n\r\n',
      '502',
    ],
    ['a trailer that cannot come', '', ok.replace('\r\n\r\n', '\r\ntrailer: a\r\n\r\n'), 'ok'],
    ['a length twice', '', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok', '502'],
    ['less than it said', '', 'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nok', 'ok'],
    ['nothing', '', '', '502'],
    ['after a trailer that was announced and does not come', 'trailer: a\r\n', ok, 'ok'],
  ])('by %s', async (_name, header, answer, words) => {
    const host = await listen(
      createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(answer))),
    );
    const socket = await proxy({ dial: () => connect({ host: '127.0.0.1', port: host }) });
    const said = await ask(
      socket,
      `GET http://public.example/ HTTP/1.1\r\nhost: x\r\n${header}connection: close\r\n\r\n`,
    );
    expect(said).toContain(words);
  });
});

it('what listens on a public address of this very machine is not for its builds (SEC-D-13)', async () => {
  const socket = await proxy({ own: () => ['127.0.0.1', '93.184.216.34', 'fe80::1%eth0'] });
  dialled.length = 0;
  const answers = ['public.example', '93.184.216.34'].map((host) =>
    ask(socket, `CONNECT ${host}:443 HTTP/1.1\r\n\r\n`),
  );
  for (const answer of await Promise.all(answers)) expect(answer).toContain('it is this machine');
  expect(dialled).toEqual([]);
});

function closing(client: Socket): Promise<void> {
  return new Promise((resolve) => client.once('close', () => resolve()));
}

describe('a build that takes every connection it gets (SEC-C-14)', () => {
  it('is told, and takes none of another one', async () => {
    const egress = await startEgress(world());
    afterAll(() => egress.close());
    const [greedy, other] = [await egress.open(), await egress.open()];
    const tunnel = 'CONNECT public.example:443 HTTP/1.1\r\n\r\n';
    const grab = (): Socket => connect(greedy.socket).on('error', () => {});
    const held = Array.from({ length: 128 }, grab);
    for (const client of held) client.write(`${tunnel}held`);
    for (const client of held) await once(client, 'data');
    expect(await ask(greedy.socket, tunnel)).toContain('because the build has more than 128 connections open');
    expect(
      await ask(greedy.socket, 'GET http://public.example/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
    ).toContain('403');
    expect(await ask(other.socket, `${tunnel}hello`, 'hello')).toContain('200');
    const more = Array.from({ length: 300 }, grab);
    // Past twice as many they are closed at once.
    await closing(more.at(-1)!);
    expect(await ask(other.socket, `${tunnel}hello`, 'hello')).toContain('200');
    await greedy.close();
    await Promise.all([...held, ...more].filter(({ closed }) => !closed).map(closing));
    expect(await ask(other.socket, `${tunnel}hello`, 'hello')).toContain('200');
  });
});

it('what a killed server left is removed when the next one starts; what lives is not', async () => {
  const parent = temporaryParent('egress');
  const dead = spawnSync('/bin/true').pid;
  const stale = join(parent, `${dead}-stale`);
  const egress = await startEgress(world());
  const door = await egress.open();
  await mkdir(stale);
  await writeFile(join(stale, '1'), '');
  const next = await startEgress(world());
  expect(existsSync(stale)).toBe(false);
  expect(await ask(door.socket, 'CONNECT public.example:443 HTTP/1.1\r\n\r\nhello', 'hello')).toContain('200');
  await next.close();
  await egress.close();
  expect(existsSync(door.socket)).toBe(false);
});

it('nothing is kept where somebody else put something in the place of our directory', async () => {
  const link = join(root, 'link');
  await symlink(root, link);
  await expect(makeOwnDirectory(link)).rejects.toThrow(/link is no directory of this user\. Remove it\.$/);
});

describe.each(contained)('a command behind the proxy on the rung $level', (isolation) => {
  it('reaches public hosts with ordinary tools, and neither this machine nor the metadata address (SEC-C-12, SEC-D-13)', async () => {
    const box = await makeBox(root, `proxy-${isolation.level}`);
    let output = '';
    const script = `
      get() { node -e 'const http = require("http"); const [host, port] = [process.argv[1], process.argv[2]];
        const r = http.request({ host: "127.0.0.1", port: 3128, path: "http://" + host + ":" + port + "/" }, (a) => { a.setEncoding("utf8"); a.on("data", (d) => console.log(a.statusCode, d.trim())); }); r.on("error", (e) => console.log(e.code)); r.end();' "$1" "$2"; }
      get public.example 80; get 127.0.0.1 ${web}; get 169.254.169.254 80; get '[::ffff:7f00:1]' ${web}; get 0x7f.1 ${web}; get metadata.example 80; echo "$HTTPS_PROXY $NODE_USE_ENV_PROXY"
      sleep 0.1 & wait; node -e 'require("net").connect(${web}, "127.0.0.1").on("error", (e) => console.log(e.code)).on("connect", () => console.log("REACHED"))'`;
    const running = runCommand({
      isolation,
      marker: `proxy-${isolation.level}-${process.pid}`,
      command: {
        argv: ['/bin/sh', '-c', script],
        cwd: box.work,
        writable: [box.work],
        home: box.home,
        temporary: box.temporary,
        env: {},
        network: { proxy: await proxy() },
      },
      output: (chunk) => {
        output += chunk.toString();
      },
      deadlineMs: 20_000,
    });
    expect(await running.result).toEqual({ kind: 'exited', status: 0, leftOver: 0 });
    expect(output.trim().split('\n')).toEqual([
      '200 web GET / public.example',
      '403 Penstock: 127.0.0.1 is refused, because it is not a public address.',
      '403 Penstock: 169.254.169.254 is refused, because it is not a public address.',
      '403 Penstock: ::ffff:7f00:1 is refused, because it is not a public address.',
      '403 Penstock: 127.0.0.1 is refused, because it is not a public address.',
      '403 Penstock: metadata.example is refused, because it is not a public address.',
      'http://127.0.0.1:3128 1',
      'ECONNREFUSED',
    ]);
  });
});
