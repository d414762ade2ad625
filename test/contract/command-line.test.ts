import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { variables } from '../../src/config.ts';
import { createBuiltServer } from '../support/built-server.ts';

const built = createBuiltServer('command-line-test');
beforeAll(() => built.build(), 60_000);
afterAll(() => built.remove());

const newFolder = () => realpathSync(mkdtempSync(join(built.folder, 'cwd-')));

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
    [['--prot', '1'], 'unknown option --prot; did you mean --port?; it takes options alone'],
    [['--port'], '--port needs a value'],
    [['--port='], '--port needs a value'],
    [['--port', '--help'], '--port needs a value'],
    [['-x'], 'unknown option -x'],
    [['--version=1'], '--version takes no value'],
    [['canary'], 'it takes options alone'],
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
