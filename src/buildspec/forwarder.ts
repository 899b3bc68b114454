import type { SandboxCommand } from './isolation.ts';

/**
 * Inside a sandbox with a network namespace of its own there is only its loopback. This program listens there and hands
 * every connection to the proxy's socket; HTTP_PROXY points at it. It is text, because it runs in the sandbox, where our
 * own files are not.
 */
const forwarderPort = 3128;

const program = `
const net = require('node:net');
const server = net.createServer((client) => {
  const proxy = net.connect(process.argv[1]);
  client.on('error', () => proxy.destroy());
  proxy.on('error', () => client.destroy());
  client.pipe(proxy);
  proxy.pipe(client);
});
server.listen(${forwarderPort}, '127.0.0.1', () => console.log('ready'));
`;

/** Starts the forwarder, waits until it listens, and becomes the command. A shell that was ended right here has left
 * its pipe in the /tmp that the next one shares. Arguments: node, program, socket, command. */
const prelude = `
ready=/tmp/.penstock-egress
rm -rf "$ready"; mkfifo "$ready" && { "$1" -e "$2" "$3" 0</dev/null 1>"$ready" 2>/dev/null 3>&- 4>&- & read -r line <"$ready"; rm -f "$ready"; }
shift 3
exec "$@"
`;

/** A command behind the proxy: the forwarder runs first, and the usual variables point at it. */
export function withEgress(command: SandboxCommand): SandboxCommand {
  if (typeof command.network === 'string') return command;
  const { proxy } = command.network;
  return {
    ...command,
    argv: ['/bin/sh', '-c', prelude, 'penstock-egress', process.execPath, program, proxy, ...command.argv],
    readOnly: [...(command.readOnly ?? []), process.execPath, proxy],
    env: { ...proxyVariables, ...command.env },
  };
}

const url = `http://127.0.0.1:${forwarderPort}`;
const direct = 'localhost,127.0.0.1,::1';

/** What makes common tools use the proxy; node does from version 24 on. */
const proxyVariables: Readonly<Record<string, string>> = {
  HTTP_PROXY: url,
  HTTPS_PROXY: url,
  http_proxy: url,
  https_proxy: url,
  NO_PROXY: direct,
  no_proxy: direct,
  NODE_USE_ENV_PROXY: '1',
};
