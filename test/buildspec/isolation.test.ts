import { execFileSync, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { refusedEnvironmentName } from '../../src/buildspec/environment.ts';
import { detectIsolation } from '../../src/buildspec/isolation.ts';
import { defaultLimits } from '../../src/buildspec/limits.ts';
import { findMarked } from '../../src/buildspec/processes.ts';
import { runCommand } from '../../src/buildspec/run-command.ts';
import { runner } from './run-in-box.ts';
import { availableRungs, makeBox, temporaryDirectory } from './rungs.ts';

const rungs = await availableRungs();
const contained = rungs.filter((isolation) => isolation.contained);
const root = await temporaryDirectory();
const run = runner(root);

describe.each(rungs)('the rung $level', (isolation) => {
  it('gives a command the allow-list and what was given, and nothing of our own environment', async () => {
    process.env['PENSTOCK_CANARY'] = 'canary-in-the-environment';
    const { output } = await run(isolation, 'env');
    delete process.env['PENSTOCK_CANARY'];
    const names = output
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => line.split('=')[0]!);
    expect(output).not.toContain('canary-in-the-environment');
    expect(output).toContain('GIVEN=a value; $(id)');
    const shellsOwn = new Set(['PWD', 'OLDPWD', '_', 'SHLVL']);
    expect(names.filter((name) => !shellsOwn.has(name)).sort()).toEqual([
      'CI',
      'GIVEN',
      'HOME',
      'LANG',
      'LOGNAME',
      'PATH',
      'PENSTOCK_COMMAND',
      'SHELL',
      'TERM',
      'TMPDIR',
      'USER',
    ]);
  });

  it('lets a command find node, npm and git and write to its directory, home and /tmp', async () => {
    const script =
      'node --version && npm --version && git --version && echo a > a && echo b > "$HOME/b" && echo c > "$TMPDIR/c" && cat a "$HOME/b" "$TMPDIR/c"';
    const { result, output } = await run(isolation, script);
    expect(result).toEqual({ kind: 'exited', status: 0, leftOver: 0 });
    expect(output).toMatch(/v\d+[^]*git version[^]*a\nb\nc\n$/);
  });

  it('says how a command ended', async () => {
    expect((await run(isolation, 'exit 7')).result).toEqual({ kind: 'exited', status: 7, leftOver: 0 });
    expect((await run(isolation, 'sleep 60', { deadlineMs: 300 })).result).toMatchObject({
      kind: 'timed-out',
      afterMs: 300,
    });
    const killed = await run(isolation, 'kill -9 $$');
    expect([killed.result.kind, killed.output]).toEqual([isolation.contained ? 'exited' : 'signalled', '']);
  });

  it('ends a step that ignores TERM, forks daemons out of its group and fills its pipes (SEC-C-13)', async () => {
    const daemon = `sleep 3${process.pid}`;
    const script = `trap '' TERM
      setsid sh -c "trap '' TERM; sleep 300" & (setsid sleep 300 &) ; (env -i setsid ${daemon} &); yes | head -c 3000000; sleep 300`;
    const { result, output, marker } = await run(isolation, script, { deadlineMs: 1_500 });
    expect(result.kind).toBe('timed-out');
    expect(output.length).toBe(3_000_000);
    expect(findMarked(marker)).toEqual([]);
    expect(withoutParent(daemon)).toEqual([]);
  });

  it('does not wait for a daemon that holds the pipes of a step that ended', async () => {
    const quiet = 'i=0; while [ $i -lt 40 ]; do (env -i setsid sleep 300 > /dev/null 2>&1 &); i=$((i+1)); done';
    const { result, output, marker } = await run(isolation, `${quiet}; setsid sleep 300 & echo done`);
    expect(result).toMatchObject({ kind: 'exited', status: 0 });
    expect(output).toBe('done\n');
    expect(findMarked(marker)).toEqual([]);
  });

  it('gives a command that is asked to stop time to tidy up', async () => {
    const box = await makeBox(root, `stop-${isolation.level}`);
    const running = runCommand({
      isolation,
      marker: `stop-${isolation.level}-${process.pid}`,
      command: {
        argv: ['/bin/sh', '-c', 'trap "echo tidy > tidied; exit 0" TERM; echo ready; sleep 60 & wait'],
        cwd: box.work,
        writable: [box.work],
        home: box.home,
        temporary: box.temporary,
        env: {},
        network: 'host',
      },
      output: () => running.stop(),
      deadlineMs: 20_000,
      graceMs: 5_000,
    });
    expect((await running.result).kind).toBe('stopped');
    expect(await readFile(join(box.work, 'tidied'), 'utf8')).toBe('tidy\n');
  });

  it('limits the size of files and the number of open files, and dumps no memory (SEC-C-14)', async () => {
    const open = `node -e 'const fs = require("fs"); let n = 0; try { for (;; n += 1) fs.openSync("/dev/null"); } catch (e) { console.log(e.code, n > 100 && n <= 65536); }'`;
    const { output } = await run(isolation, `truncate -s 17G big 2>&1; ls big 2>&1 | wc -c; ${open}; ulimit -c`);
    expect(output).toMatch(/^(truncate: .*File too large|File size limit exceeded.*)\n4\nEMFILE true\n0\n$/s);
  });

  it('is what the kernel ends first when memory runs out, not the server', async () => {
    const { output } = await run(isolation, 'cat /proc/self/oom_score_adj');
    expect(output).toBe('1000\n');
  });
});

/** bubblewrap before 0.8, and a container whose /proc/sys cannot be written, do not let us. */
function mayForbidNamespaces(level: string): boolean {
  const words =
    level === 'bubblewrap'
      ? ['bwrap', '--unshare-user', '--disable-userns', '--ro-bind', '/', '/', '--proc', '/proc', '--', '/bin/true']
      : ['unshare', '--user', '--map-root-user', '/bin/sh', '-c', 'echo 1 > /proc/sys/user/max_user_namespaces'];
  return spawnSync(words[0]!, words.slice(1)).status === 0;
}

/** Processes of that command line whose parent is gone: they left their command. */
function withoutParent(command: string): readonly string[] {
  return execFileSync('ps', ['-eo', 'ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.trim() === `1 ${command}`);
}

function mayLimitIpc(): boolean {
  const limit = 'echo 1000 > /proc/sys/kernel/shmall';
  return spawnSync('unshare', ['--user', '--map-root-user', '--ipc', '/bin/sh', '-c', limit]).status === 0;
}

const library = new URL('../../src/buildspec/isolation.ts', import.meta.url).href;
const nobody = { uid: 65_534, gid: 65_534, cwd: '/' };
const isRoot = process.getuid?.() === 0;
const canRead = isRoot && spawnSync('test', ['-r', fileURLToPath(library)], nobody).status === 0;
if (!canRead)
  console.warn('skipped: only as root, from where everybody can read, the rungs are tried as another user.');
it.runIf(canRead).each(contained)('the rung $level works for a server that is not root', ({ level }) => {
  const program = `import { detectIsolation } from '${library}';
    const isolation = await detectIsolation({ wanted: '${level}', path: process.env.PATH }); console.log(isolation.level);`;
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent' };
  const options = { ...nobody, env, encoding: 'utf8' } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], options);
  expect([stdout, stderr]).toEqual([`${level}\n`, '']);
});

describe.each(contained)('the contained rung $level', (isolation) => {
  it('hides other processes, files outside and the users of the machine (SEC-C-12)', async () => {
    await writeFile(join(root, 'canary'), 'canary-in-a-file');
    const script = `cat ${join(root, 'canary')} /etc/shadow /proc/[0-9]*/environ; ls /root /home ${root}; ls /proc | grep -c '^[0-9]'; id -un; ps ax`;
    const { output } = await run(isolation, script);
    expect(output).not.toContain('canary-in-a-file');
    expect(output).not.toMatch(/root:[^x]/);
    expect(output).toContain('build');
    expect(output).not.toContain('vitest');
  });

  it('reaches the memory, files and signals of no process outside, nor what the kernel tells (SEC-C-12)', async () => {
    await writeFile(join(root, 'canary'), 'canary-in-a-file');
    const script = `for p in /proc/[0-9]*; do cat "$p/root${join(root, 'canary')}" "$p/cwd/package.json"; grep -a canary-in "$p/mem"; done 2>/dev/null
      kill -9 ${process.pid} 2>/dev/null && echo killed; ls /sys /boot /var/lib 2>/dev/null; dmesg 2>/dev/null | head -1
      head -c 1 /proc/kcore 2>/dev/null; for f in sys/kernel/core_pattern sys/kernel/panic sysrq-trigger irq/default_smp_affinity; do (: >> /proc/$f) 2>/dev/null && echo "opened $f"; done; echo done`;
    const { output } = await run(isolation, script);
    expect(output).toBe('done\n');
  });

  const forbids = mayForbidNamespaces(isolation.level);
  if (!forbids) console.warn(`skipped: the rung ${isolation.level} cannot keep builds from making namespaces here.`);
  it.runIf(forbids)('lets a build make no namespaces of its own (SEC-C-12, SEC-C-14)', async () => {
    const script =
      'for kind in --user --mount --net --pid; do unshare $kind true 2>/dev/null && echo $kind; unshare --user $kind true 2>/dev/null && echo "user $kind"; done; echo done';
    expect((await run(isolation, script)).output).toBe('done\n');
  });

  it('opens no doors to the kernel: no raw sockets, mounts or devices (SEC-C-12)', async () => {
    const { output } = await run(
      isolation,
      `mount -t tmpfs tmpfs /tmp 2>/dev/null && echo mounted; mknod /tmp/disk b 8 0 2>/dev/null && echo device; chroot / true 2>/dev/null && echo chroot
      ln /etc/passwd "$PWD/linked" 2>/dev/null && echo linked; grep -q 'NoNewPrivs:.1' /proc/self/status || echo privileges
      grep -q 'CapEff:.0000000000000000' /proc/self/status || echo capabilities
      python3 -c '
import socket
for family, kind in ((socket.AF_PACKET, socket.SOCK_RAW), (socket.AF_INET, socket.SOCK_RAW), (socket.AF_INET6, socket.SOCK_RAW)):
    try: socket.socket(family, kind, 1); print("raw", family)
    except OSError: pass
'; echo done`,
    );
    expect(output).toBe('done\n');
  });

  it('lets nothing but the work directory be written (SEC-C-17)', async () => {
    const { output } = await run(
      isolation,
      'for d in / /usr /usr/local /etc /bin; do touch "$d/penstock-was-here" && echo "wrote $d"; done; mount -o remount,rw /usr && echo remounted; true',
    );
    expect(output).not.toMatch(/^wrote|^remounted/m);
  });

  it('keeps little in memory that no process owns (SEC-C-14)', async () => {
    const { output } = await run(
      isolation,
      'df -k --output=size /dev/shm | tail -1; touch /dev/x 2>&1 | grep -c Read-only',
    );
    const [kibibytes, refused] = output.trim().split('\n');
    expect(Number(kibibytes)).toBeLessThanOrEqual(1024 ** 2);
    expect(refused).toBe('1');
  });

  it('leaves no memory, semaphores or queues of System V, and sees none of another (SEC-C-13, SEC-C-17)', async () => {
    const key = 0x50_45_4e_00 + contained.indexOf(isolation);
    const make = `python3 -c '
import ctypes
libc = ctypes.CDLL(None)
print(min(libc.shmget(${key}, 4096, 0o1600), libc.semget(${key}, 1, 0o1600), libc.msgget(${key}, 0o1600)) >= 0)'`;
    const look = `awk '$1 == ${key}' /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg`;
    const [first, second] = [await run(isolation, `${make}; ${look} | wc -l`), await run(isolation, `${look} | wc -l`)];
    expect([first.output, second.output]).toEqual(['True\n3\n', '0\n']);
    expect(execFileSync('/bin/sh', ['-c', look], { encoding: 'utf8' })).toBe('');
  });

  const limitsIpc = mayLimitIpc();
  if (!limitsIpc) console.warn(`skipped: this kernel lets no build on the rung ${isolation.level} have limits of IPC.`);
  it.runIf(limitsIpc)('gets little memory of System V that no process owns (SEC-C-14)', async () => {
    const { output } = await run(
      isolation,
      'for i in 1 2 3; do ipcmk -M 500000000 > /dev/null 2>&1 && echo made; done; ipcmk -S 1000 > /dev/null 2>&1 || echo refused',
    );
    expect(output).toBe('made\nmade\nrefused\n');
  });

  it('without network reaches neither this machine nor the metadata address, but its own loopback works (SEC-C-12)', async () => {
    const server = createServer((socket) => socket.end('reached'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const abstract = createServer((socket) => socket.end('reached'));
    const name = `\0penstock-${process.pid}-${isolation.level}`;
    await new Promise<void>((resolve) => abstract.listen(name, resolve));
    const script = `node -e '
      const net = require("net");
      const dial = (host, port) => new Promise((done) => { const s = net.connect({ host, port, timeout: 1000 }); s.on("data", (d) => done(host + " " + d)); s.on("error", (e) => done(host + " " + e.code)); s.on("timeout", () => done(host + " timeout")); });
      const own = net.createServer((s) => s.end("own"));
      own.listen(0, "127.0.0.1", async () => { console.log(await dial("127.0.0.1", own.address().port)); console.log(await dial("127.0.0.1", ${port})); console.log(await dial("169.254.169.254", 80)); for (const host of ["::1", "::ffff:127.0.0.1", "0.0.0.0", "169.254.170.2"]) console.log(await dial(host, ${port}));
        const s = net.connect("\\0${name.slice(1)}"); s.on("error", (e) => console.log("abstract " + e.code)); s.on("data", (d) => console.log("abstract " + d)); own.close(); });'`;
    const { output } = await run(isolation, script);
    await Promise.all([server, abstract].map((one) => new Promise((resolve) => one.close(resolve))));
    expect(output.trim().split('\n')).toEqual([
      '127.0.0.1 own',
      '127.0.0.1 ECONNREFUSED',
      '169.254.169.254 ENETUNREACH',
      '::1 ECONNREFUSED',
      '::ffff:127.0.0.1 ECONNREFUSED',
      '0.0.0.0 ECONNREFUSED',
      '169.254.170.2 ENETUNREACH',
      'abstract ECONNREFUSED',
    ]);
  });
});

describe('choosing a rung', () => {
  it.each(contained.map(({ level }) => level))(
    '%s refuses a home that every build would see (SEC-C-12)',
    async (wanted) => {
      const path = process.env['PATH'] ?? '';
      await expect(detectIsolation({ path, wanted, hidden: ['/usr/src/app/.penstock'] })).rejects.toThrow(
        /everything below \/usr, and \/usr\/src\/app\/.penstock lies there. Move it elsewhere: set PENSTOCK_HOME/,
      );
      expect((await detectIsolation({ path, wanted, hidden: [root] })).level).toBe(wanted);
    },
  );

  it('the last rung says what it cannot keep (SEC-C-12, SEC-C-13)', async () => {
    const words = (await detectIsolation({ wanted: 'process' })).describe();
    for (const word of [
      'read and write whatever this user can',
      'network of this machine',
      'leaves its group is only searched for',
      'shared memory of System V stays',
    ])
      expect(words).toContain(word);
  });

  it('says the limits that the operator set', async () => {
    const limits = { ...defaultLimits, memoryBytes: 2 * 1024 ** 3, processes: 99, files: 1234, diskBytes: 1024 ** 3 };
    const words = (await detectIsolation({ wanted: 'process', path: process.env['PATH'] ?? '', limits })).describe();
    expect(words).toContain(
      'take 2 GiB of memory, when there are more than 99 of them, when its directories hold 1 GiB or 1234 files',
    );
  });

  it('says the limit of open files that a command really has', async () => {
    const isolation = await detectIsolation({ wanted: 'process', path: process.env['PATH'] ?? '' });
    const { output } = await run(isolation, 'ulimit -Hn');
    expect(isolation.describe()).toContain(`and ${output.trim()} open files`);
  });

  it('says in a sentence what is in force, and why it is no better', async () => {
    const isolation = await detectIsolation({ path: '/nonexistent' });
    expect(isolation.level).toBe('process');
    expect(isolation.describe()).toContain(
      'bubblewrap: bwrap is not on PATH; unshare: unshare (util-linux) is not on PATH',
    );
  });

  it('refuses a level that does not work here, with what to do', async () => {
    await expect(detectIsolation({ path: '/nonexistent', wanted: 'bubblewrap' })).rejects.toThrow(
      /embedded.isolation: bubblewrap.*bwrap is not on PATH.*Install bubblewrap/,
    );
  });

  it('at the level process refuses to promise that there is no network', async () => {
    const isolation = await detectIsolation({ wanted: 'process' });
    const command = {
      argv: ['true'] as const,
      cwd: root,
      writable: [],
      home: root,
      temporary: root,
      env: {},
      network: 'none' as const,
    };
    expect(() => isolation.wrap(command)).toThrow(/without network/);
  });
});

describe('names that files may not set (SEC-C-09)', () => {
  it.each([
    'LD_PRELOAD',
    'BASH_ENV',
    'ENV',
    'NODE_OPTIONS',
    'GIT_SSH_COMMAND',
    'PATH',
    'HOME',
    'IFS',
    'PYTHONPATH',
    'AWS_SECRET_ACCESS_KEY',
    'PENSTOCK_COMMAND',
    'a b',
    '',
    '1X',
    'X=Y',
  ])('%j is refused', (name) => expect(refusedEnvironmentName(name)).toMatch(/environment variable/));
  it.each(['NODE_ENV', 'FOO', '_x', 'CODEBUILD_X'])('%s is fine', (name) =>
    expect(refusedEnvironmentName(name)).toBeUndefined(),
  );
});
