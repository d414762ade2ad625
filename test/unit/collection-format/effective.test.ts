import { createRequire } from 'node:module';
import { array, assert, boolean, constantFrom, dictionary, integer, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import { createCollectionTree } from '../../../src/upstream/collection-format/tree/collection-tree.ts';
import {
  effectiveScripts,
  effectiveSettings,
  effectiveVariables,
} from '../../../src/upstream/collection-format/tree/effective.ts';
import type { JsonObject } from '../../../src/upstream/collection-format/syntax/json.ts';
import { toRuns } from '../../support/property-runs.ts';

interface SdkItem {
  readonly events: { listeners(name: string): readonly { readonly script: { toSource(): string } }[] };
  getProtocolProfileBehaviorResolved(): JsonObject;
}

/** Of Postman's own SDK, which does not declare its types. */
const { Collection } = createRequire(import.meta.url)('postman-collection') as {
  readonly Collection: new (document: object) => { forEachItem(visit: (item: SdkItem) => void): void };
};

const nothing = () => undefined;
const name = constantFrom('a', 'b', 'c');
const definitions = record(
  {
    variable: array(record({ key: name, value: integer(), disabled: boolean() }), { maxLength: 3 }),
    event: array(
      record({
        listen: constantFrom('test', 'prerequest'),
        script: record({ exec: integer().map((line) => [`${line}`]) }),
        disabled: constantFrom(true, false, false),
      }),
      { maxLength: 3 },
    ),
    protocolProfileBehavior: dictionary(name, integer(), { maxKeys: 3 }),
  },
  { requiredKeys: [] },
);
/** The definitions of a collection, of the folders of a path, and of the request at its end. */
const path = record({
  collection: definitions,
  folders: array(definitions, { maxLength: 5 }),
  request: definitions,
});

it('applies variables, scripts and settings to a request as Postman’s own SDK does', () => {
  assert(
    property(path, ({ collection, folders, request }) => {
      let item: object = { id: 'r', name: 'r', request: 'https://a.example', response: [], ...request };
      for (const folder of [...folders].reverse()) item = { name: 'f', item: [item], ...folder };
      const document = { info: { name: 'c' }, item: [item], ...collection } as JsonObject;
      const [found] = createCollectionTree(document, '1-a').requests;

      let settings: JsonObject = {};
      const scripts: (readonly [string, string])[] = [];
      new Collection(JSON.parse(JSON.stringify(document)) as object).forEachItem((one) => {
        settings = one.getProtocolProfileBehaviorResolved();
        for (const listen of ['prerequest', 'test'])
          scripts.push(...one.events.listeners(listen).map(({ script }) => [listen, script.toSource()] as const));
      });
      expect(effectiveSettings(found!, nothing) ?? {}).toEqual(settings);
      expect(effectiveScripts(found!, nothing).map(({ script }) => [script.listen, script.source])).toEqual(scripts);

      const expected: Record<string, unknown> = {};
      for (const [definedOn, { variable = [] }] of [
        ['collection', collection],
        ...folders.map((folder) => ['folder', folder] as const),
        ['request', request],
      ] as const)
        for (const { key, value, disabled } of variable) if (!disabled) expected[key] = [value, definedOn];
      const variables = effectiveVariables(found!, nothing).map(
        ({ variable, definedOn }) => [variable.key, [variable.value, definedOn?.kind ?? 'collection']] as const,
      );
      expect(Object.fromEntries(variables)).toEqual(expected);
    }),
    toRuns(300),
  );
});

it('reads no more than the folders that define something, however deep the tree is', () => {
  let item: JsonObject = { request: 'https://a.example' };
  for (let depth = 0; depth < 20_000; depth += 1)
    item = { item: [item], ...(depth % 10_000 === 0 && { variable: [{ key: `v${depth}`, value: 1 }] }) };
  const [request] = createCollectionTree({ item: [item] }, '1-a').requests;
  const read: number[] = [];
  expect(effectiveVariables(request!, (count) => read.push(count)).map(({ variable }) => variable.key)).toEqual([
    'v0',
    'v10000',
  ]);
  expect(read).toEqual([0, 1, 1, 0]);
});
