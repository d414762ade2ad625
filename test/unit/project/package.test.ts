import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { TRACE_PACKAGES } from '../../../src/server/telemetry/trace-packages.ts';
import { REDIS_CLIENT } from '../../../src/upstream/rate-limiter/redis/redis-connection.ts';

const root = new URL('../../../', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, root), 'utf8')) as Record<string, unknown>;
const { scripts, bin, exports, devDependencies, peerDependencies } = read('package.json') as Record<
  string,
  Record<string, unknown>
>;

it('runs every npm script only by Node, npm and the binaries of packages, so that it runs on every system', () => {
  const binaries = new Set(
    Object.keys(devDependencies ?? {}).flatMap((name) => {
      const { bin: own } = read(`node_modules/${name}/package.json`);
      return typeof own === 'object' && own !== null ? Object.keys(own) : typeof own === 'string' ? [name] : [];
    }),
  );
  const commands = Object.values(scripts ?? {}).flatMap((script) => String(script).split(' && '));
  expect(commands.length).toBeGreaterThan(20);
  const others = commands.filter((command) => {
    const [program = ''] = command.split(' ');
    return (
      /[$`|;<>'"\\%*~]|(?:^| )\w+=/.test(command) || !(program === 'node' || program === 'npm' || binaries.has(program))
    );
  });
  expect(others).toEqual([]);
});

it('names files that the build creates', () => {
  const named = [bin?.['postman-graphql'], ...Object.values(exports?.['./errors'] as object)].map(String);
  const sources = named.map((file) => file.replace(/^(?:\.\/)?dist\//, '').replace(/(?:\.d\.ts|\.js)$/, '.ts'));
  expect(sources.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
  expect(readFileSync(new URL(sources[0] ?? '', root), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

it('requires the versions of optional packages that it is tested with', () => {
  const named = [...TRACE_PACKAGES, REDIS_CLIENT].toSorted();
  const of = (dependencies = {}) => Object.entries(dependencies).map(([name, version]) => `${name}@${String(version)}`);
  expect(of(peerDependencies).toSorted()).toEqual(named);
  expect(of(devDependencies)).toEqual(expect.arrayContaining(named));
});
