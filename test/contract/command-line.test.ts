import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { variables } from '../../src/config/variables.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { createBuiltServer } from '../support/built-server.ts';

const built = createBuiltServer('command-line-test');
beforeAll(() => built.build(), 60_000);
afterAll(() => built.remove());

const newFolder = () => realpathSync(mkdtempSync(join(built.folder, 'cwd-')));

async function ask(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: '{ me { username } }' }),
  });
  const { data } = (await response.json()) as { data?: unknown };
  return { status: response.status, data };
}

const myself = { me: { username: 'ines-aldana' } };
const toMessages = (stderr: string) =>
  stderr
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

describe.concurrent('the command line', () => {
  it('prints the version, and help with every variable', async ({ expect }) => {
    const version = built.run({}, ['--version']);
    expect([await version.ended(), version.stdout(), version.stderr()]).toEqual([0, '0.1.0\n', '']);
    const help = built.run({}, ['-h']);
    expect([await help.ended(), help.stderr()]).toEqual([0, '']);
    expect(help.stdout()).toMatch(/^Usage: postman-graphql \[options\]\n/);
    for (const { name, description } of variables) {
      expect(help.stdout()).toContain(`\n  ${name}`);
      expect(help.stdout()).toContain(`\n      ${description}\n`);
    }
  });

  it('goes before the environment', async ({ expect }) => {
    const cwd = newFolder();
    mkdirSync(join(cwd, 'exports'));
    writeFileSync(join(cwd, 'exports', 'a.json'), JSON.stringify({ info: { name: 'Mine' }, item: [] }));
    const server = await built.start({ PORT: 'x' }, ['--port', '0', '--sandbox-dir=exports'], cwd);
    expect(server.stdout()).toContain('(sandbox: the exports in exports)');
    expect(await server.stop()).toBe(0);
  });

  it.for([
    [['--prot', '1'], 'unknown option --prot; did you mean --port?; only options are allowed'],
    [['--port'], '--port needs a value'],
    [['--port='], '--port needs a value'],
    [['--port', '--help'], '--port needs a value'],
    [['-x'], 'unknown option -x'],
    [['--version=1'], '--version takes no value'],
    [['canary'], 'only options are allowed'],
    [['--postman-api-key=canary'], 'unknown option --postman-api-key'],
  ] as const)('is refused, without repeating a value: %j', async ([args, problem], { expect }) => {
    const program = built.run({}, args);
    expect([await program.ended(), program.stdout(), program.stderr()]).toEqual([
      1,
      '',
      `postman-graphql could not start: ${problem} (see --help)\n`,
    ]);
  });
});

describe.concurrent('the start', () => {
  it('names the .env that it has read, and what in it nobody reads', async ({ expect }) => {
    const cwd = newFolder();
    writeFileSync(join(cwd, '.env'), 'POSTMAN_APIKEY=PMAK-canary\n');
    const server = await built.start({}, [], cwd);
    await server.stop();
    const [read, warning] = server.stderr().split('\n');
    expect(JSON.parse(read ?? '')).toMatchObject({ level: 30, file: join(cwd, '.env'), msg: 'read .env' });
    expect(JSON.parse(warning ?? '')).toMatchObject({
      level: 40,
      msg: 'POSTMAN_APIKEY in .env is not a known variable; did you mean POSTMAN_API_KEY?',
    });
    expect(server.stderr()).not.toContain('canary');
  });

  it('says nothing of a .env where there is none', async ({ expect }) => {
    const server = await built.start({}, [], newFolder());
    await server.stop();
    expect(toMessages(server.stderr())).toEqual(['memory', 'stopping']);
  });

  it('names the .env with the problems of what it says', async ({ expect }) => {
    const cwd = newFolder();
    writeFileSync(join(cwd, '.env'), 'PORT=x\n');
    const program = built.run({}, [], cwd);
    expect(await program.ended()).toBe(1);
    expect(program.stderr()).toBe(
      `postman-graphql cannot start with this configuration (partly from ${join(cwd, '.env')}):\n` +
        'PORT is "x"; allowed: a whole number from 0 to 65535; default: 4000\n',
    );
  });

  it('does not take a folder called .env for no configuration', async ({ expect }) => {
    const cwd = newFolder();
    mkdirSync(join(cwd, '.env'));
    const program = built.run({}, [], cwd);
    expect([await program.ended(), program.stderr()]).toEqual([
      1,
      'postman-graphql cannot start with this configuration:\n.env cannot be read: it is a folder\n',
    ]);
  });

  it('says of an address of somebody else which variable names one of this machine', async ({ expect }) => {
    // Of TEST-NET-1, which is nobody's.
    const program = built.run({ PORT: '0', HOST: '192.0.2.1' });
    expect(await program.ended()).toBe(1);
    expect(program.stderr()).toBe(
      'postman-graphql could not start: 192.0.2.1 is not an address of this machine: set HOST to one that is, or to 0.0.0.0 for all (EADDRNOTAVAIL)\n',
    );
  });

  it('reads secrets from files, once, and shows neither', async ({ expect }) => {
    const cwd = newFolder();
    const postman = await startSandbox({ otherApiKeys: ['PMAK-canary'] });
    writeFileSync(join(cwd, 'key'), '\uFEFF"PMAK-canary"\r\n');
    writeFileSync(join(cwd, 'token'), 'canary-old, canary-new\n');
    const env = {
      POSTMAN_API_BASE_URL: postman.origin,
      POSTMAN_API_KEY_FILE: 'key',
      ACCESS_TOKEN_FILE: join(cwd, 'token'),
      HOST: '0.0.0.0',
      LOG_LEVEL: 'trace',
    };
    const server = await built.start(env, [], cwd);
    const url = server.url.replace('0.0.0.0', '127.0.0.1');
    rmSync(join(cwd, 'token'));
    expect((await ask(url)).status).toBe(401);
    for (const token of ['canary-old', 'canary-new'])
      expect(await ask(url, { authorization: `Bearer ${token}` })).toEqual({ status: 200, data: myself });
    expect((await ask(url, { authorization: 'Bearer canary-old, canary-new' })).status).toBe(401);
    expect(postman.arrivals.map(({ keyIndex }) => keyIndex)).toEqual([1]);
    await server.stop();
    await postman.close();
    expect(toMessages(server.stderr())[0]).toBe('POSTMAN_API_KEY: removed quotes around it');
    expect(server.stderr() + server.stdout()).not.toContain('canary');
  });

  it('tells what is wrong with files beside everything else', async ({ expect }) => {
    const program = built.run({ ACCESS_TOKEN_FILE: 'canary', POSTMAN_API_KEY: 'PMAK-a', HOST: '0.0.0.0', PORT: 'x' });
    expect(await program.ended()).toBe(1);
    expect(program.stderr().split('\n').slice(1)).toEqual([
      'ACCESS_TOKEN_FILE names a file that cannot be read: ENOENT',
      'PORT is "x"; allowed: a whole number from 0 to 65535; default: 4000',
      '',
    ]);
  });
});
