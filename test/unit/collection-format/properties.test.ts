import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  integer,
  nat,
  oneof,
  option,
  property,
  record,
  string,
  stringMatching,
  tuple,
} from 'fast-check';
import {
  type GraphQLCompositeType,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isLeafType,
  isRequiredArgument,
  parse,
  validate,
} from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import { createResultSize } from '../../../src/graph/limits/result-size.ts';
import { unscheduledRows } from '../../../src/graph/paging/streamed-rows.ts';
import { unsliced } from '../../../src/graph/limits/time-slices.ts';
import { createOperationContext } from '../../../src/graph/planning/tracked-reads.ts';
import type { Context } from '../../../src/graph/context.ts';
import { createSchema } from '../../../src/graph/schema.ts';
import { toAuth } from '../../../src/upstream/collection-format/fields/auth.ts';
import {
  type CollectionItem,
  createCollectionTree,
} from '../../../src/upstream/collection-format/tree/collection-tree.ts';
import { findRequests } from '../../../src/upstream/collection-format/tree/filter-requests.ts';
import { definitionOf, effectiveAuth } from '../../../src/upstream/collection-format/tree/item.ts';
import { isJsonObject, type JsonObject, toWritableJson } from '../../../src/upstream/collection-format/syntax/json.ts';
import { maskItems } from '../../../src/upstream/collection-format/masking/mask-secrets.ts';
import { methodOf } from '../../../src/upstream/collection-format/fields/request-definition.ts';
import { toRows } from '../../../src/upstream/collection-format/syntax/rows.ts';
import { isCredentialName } from '../../../src/upstream/collection-format/masking/secrets.ts';
import { createScopes } from '../../../src/upstream/collection-format/fields/resolve-variables.ts';
import {
  toUrl,
  type Url,
  urlHash,
  urlHost,
  urlPath,
  urlPort,
  urlProtocol,
  urlQuery,
  urlRaw,
} from '../../../src/upstream/collection-format/fields/url.ts';
import { runAtOnce } from '../../../src/upstream/steps.ts';
import { execute } from '../../support/execute.ts';
import {
  anyJson,
  anyJsonObject,
  CANARIES,
  canary,
  collections,
  mutate,
  mutations,
  reference,
  reverseKeys,
  toDocument,
} from '../../support/any-collection.ts';
import { toRuns } from '../../support/property-runs.ts';
import { WHOLE_COLLECTION } from '../../support/whole-collection.ts';

const runs = toRuns(100);
vi.setConfig({ testTimeout: 24 * 60 * 60 * 1_000 });
const UID = '12-6b3a7e10-0000-4000-8000-000000000001';

const schema = createSchema();

/** Selects every field below a type: all fields of items in the two flat lists, elsewhere only their leaf fields. */
function everythingOf(type: GraphQLCompositeType, isInItem = false): string {
  const isItem = type.name === 'Folder' || type.name === 'Request' || type.name === 'CollectionItem';
  if (isAbstractType(type)) {
    const parts = schema.getPossibleTypes(type).map((one) => `... on ${one.name} ${everythingOf(one, isInItem)}`);
    return `{ __typename ${parts.join(' ')} }`;
  }
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const below = getNamedType(field.type);
    if (field.args.some(isRequiredArgument) || below.name === 'Workspace' || below.name === 'Collection') return [];
    const args = field.args.some((arg) => arg.name === 'first') ? '(first: 100)' : '';
    if (isLeafType(below)) return [field.name];
    if (!isCompositeType(below) || (isItem && isInItem)) return [];
    const isShort = isInItem || isItem || field.name === 'items' || field.name === 'edges';
    return [`${field.name}${args} ${everythingOf(below, isShort)}`];
  });
  return `{ __typename ${fields.join(' ')} }`;
}

const collectionType = schema.getType('Collection');
const EVERYTHING = parse(
  `{ collection(uid: "${UID}") ${isCompositeType(collectionType) ? everythingOf(collectionType) : ''} }`,
);
const PAGE = parse(`query ($after: String) { collection(uid: "${UID}") {
  requests(first: 1, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } }`);

interface Node extends JsonObject {
  readonly __typename: string;
  readonly id: string;
  readonly items?: readonly Node[];
  readonly requests?: { readonly nodes: readonly Node[] };
  readonly folders?: { readonly nodes: readonly Node[] };
}
interface Collection {
  readonly items: readonly Node[];
  readonly folders: { readonly totalCount: number; readonly nodes: readonly Node[] };
  readonly requests: {
    readonly totalCount: number;
    readonly nodes: readonly Node[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
  readonly json: unknown;
}

interface Answer {
  readonly data: { readonly collection: Collection };
  readonly errors?: readonly { readonly path: readonly string[]; readonly extensions: JsonObject }[];
}

/** Runs a query on a collection as the server does, but without calls. */
async function answerOf(
  document: JsonObject,
  query = EVERYTHING,
  { revealSecrets = false, variableValues = {} } = {},
): Promise<Answer> {
  const ref = { id: UID.slice(3), uid: UID, name: null };
  const description = isJsonObject(document['info']) ? document['info']['description'] : undefined;
  const detail = { ...ref, createdAt: null, updatedAt: null, fork: null, lastUpdatedBy: null, description, document };
  const tree = createCollectionTree(document, UID);
  const contextValue = createOperationContext({
    revealSecrets,
    isSimulation: false,
    scopeOf: createScopes(revealSecrets),
    readAhead: {
      childByUid: () => Promise.resolve(detail),
      knownRef: () => Promise.resolve(undefined),
      userById: () => Promise.resolve(null),
      keyOwner: () => Promise.resolve({ id: '0' }),
    } as unknown as Context['loaders'],
    untrackRead() {},
    hasEnded: () => false,
    reportError() {},
    trackRead() {},
    clock: { epochMs: () => 0 },
    treeOf: () => Promise.resolve(tree),
    budget: () => null,
    spentBy: () => null,
    estimate: () => Promise.reject(new TypeError('Nobody asks')),
    resultSize: createResultSize(() => undefined),
    streamedRows: unscheduledRows,
    slices: unsliced,
  });
  const result = await execute({ schema, document: query, contextValue, variableValues });
  // Serialised as for the wire, which also restores the prototypes of objects.
  return JSON.parse(JSON.stringify(result)) as Answer;
}

async function run(...args: Parameters<typeof answerOf>): Promise<Collection> {
  const { data, errors } = await answerOf(...args);
  expect(errors).toBeUndefined();
  return data.collection;
}

const plain = collections();
const anyDocument = oneof(
  { weight: 3, arbitrary: plain },
  { weight: 3, arbitrary: tuple(plain, mutations).map(([document, changes]) => mutate(document, changes)) },
  { weight: 2, arbitrary: mutations.map((changes) => mutate(WHOLE_COLLECTION, changes)) },
  { weight: 1, arbitrary: anyJsonObject },
  { weight: 1, arbitrary: array(anyJson, { maxLength: 5 }).map((item) => ({ item })) },
).map(toDocument);

const idsOf = (items: readonly { readonly id: string }[]) => items.map(({ id }) => id);

describe('every field of a collection', () => {
  it('is valid in a query', () => {
    expect(validate(schema, EVERYTHING)).toEqual([]);
  });

  it.each([
    ['of a collection with everything the format knows, in any of its forms', plain.map(toDocument)],
    [
      'of one with arbitrary values in wrong positions',
      tuple(plain, mutations).map(([one, changes]) => toDocument(mutate(one, changes))),
    ],
    [
      'of a complete one with arbitrary values in wrong positions',
      mutations.map((changes) => toDocument(mutate(WHOLE_COLLECTION, changes))),
    ],
    [
      'of any JSON object',
      oneof(
        anyJsonObject,
        array(anyJson, { maxLength: 5 }).map((item) => ({ item })),
      ).map(toDocument),
    ],
  ])('%s is answered without an error', async (_what, documents) => {
    await assert(
      asyncProperty(documents, boolean(), async (document, revealSecrets) => {
        await run(document, EVERYTHING, { revealSecrets });
      }),
      runs,
    );
  });

  it('fails only if it would have to serialise a value that is nested too deep', async () => {
    const nested = (depth: number): unknown => JSON.parse('[{"a":'.repeat(depth) + '1' + '}]'.repeat(depth));
    const change = record({
      kind: constantFrom('replace' as const),
      at: nat(1_000_000),
      other: nat(),
      value: nat(300).map(nested),
    });
    await assert(
      asyncProperty(change, boolean(), async (one, revealSecrets) => {
        const document = toDocument(mutate(WHOLE_COLLECTION, [one]));
        const { data, errors = [] } = await answerOf(document, EVERYTHING, { revealSecrets });
        const { requests, folders } = createCollectionTree(document, UID);
        expect(data.collection.requests.nodes.map(({ itemId }) => itemId)).toEqual(idsOf(requests));
        expect(data.collection.folders.nodes.map(({ itemId }) => itemId)).toEqual(idsOf(folders));
        for (const { path, extensions } of errors) {
          expect(['json', 'value', 'settings']).toContain(path.at(-1));
          expect(extensions).toEqual({ code: 'UPSTREAM_BAD_RESPONSE', retryable: false });
        }
      }),
      runs,
    );
  });

  it('does not depend on the order of keys', async () => {
    // Objects can occur in place of text; their JSON depends on the order of keys.
    const sorted = (_key: string, value: unknown): unknown => {
      if (typeof value === 'string') return value.split('').sort().join('');
      if (!isJsonObject(value)) return value;
      return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
    };
    await assert(
      asyncProperty(anyDocument, async (document) => {
        const [one, other] = [await run(document), await run(reverseKeys(document) as JsonObject)];
        expect(JSON.stringify(other, sorted)).toBe(JSON.stringify(one, sorted));
      }),
      runs,
    );
  });
});

describe('the tree of a collection', () => {
  /** The expected items, found by simple recursion. */
  const walk = (
    list: unknown,
    auth: unknown,
  ): { json: JsonObject; isFolder: boolean; auth: unknown; below: unknown[] }[] =>
    (Array.isArray(list) ? list : []).filter(isJsonObject).flatMap((json) => {
      const isFolder = Array.isArray(json['item']);
      const request = json['request'];
      const own = isFolder ? json['auth'] : isJsonObject(request) ? request['auth'] : undefined;
      const applied = toAuth(own) === null ? auth : own;
      const below = isFolder ? walk(json['item'], applied) : [];
      return [{ json, isFolder, auth: applied, below: below.map((one) => one.json) }, ...below];
    });
  const flatten = (items: readonly CollectionItem[]): CollectionItem[] =>
    items.flatMap((item) => [item, ...(item.kind === 'folder' ? flatten(item.items) : [])]);

  it('has every folder and request, nested and in two flat lists, in the same order', () => {
    assert(
      property(anyDocument, (document) => {
        const tree = createCollectionTree(document, UID);
        const expected = walk(document['item'], document['auth']);
        const nested = flatten(tree.items);
        expect(nested.map(({ json }) => json)).toEqual(expected.map(({ json }) => json));
        expect(nested.map(({ kind }) => kind === 'folder')).toEqual(expected.map(({ isFolder }) => isFolder));
        expect(tree.folders).toEqual(nested.filter(({ kind }) => kind === 'folder'));
        expect(tree.requests).toEqual(nested.filter(({ kind }) => kind === 'request'));
        expect(new Set(idsOf(nested)).size).toBe(nested.length);
        expect(idsOf(flatten(createCollectionTree(document, UID).items))).toEqual(idsOf(nested));
        const expectedOf = (item: CollectionItem) => expected[nested.indexOf(item)]!;
        for (const item of tree.requests) {
          const { definedOn: _definedOn, ...applied } = effectiveAuth(item) ?? {};
          expect(applied).toEqual(toAuth(expectedOf(item).auth) ?? {});
          expect(tree.requests[item.position]).toBe(item);
        }
        for (const item of tree.folders) {
          const below = flatten(item.items);
          expect(below.map(({ json }) => json)).toEqual(expectedOf(item).below);
          expect([
            ...tree.folders.slice(item.firstFolder, item.endFolder),
            ...tree.requests.slice(item.firstRequest, item.endRequest),
          ]).toEqual([
            ...below.filter(({ kind }) => kind === 'folder'),
            ...below.filter(({ kind }) => kind === 'request'),
          ]);
        }
      }),
      runs,
    );
  });

  it('is returned in that order: by level, as two flat lists, below each folder and page by page', async () => {
    await assert(
      asyncProperty(anyDocument, async (document) => {
        const { items, folders, requests } = await run(document);
        const nodes = new Map([...folders.nodes, ...requests.nodes].map((node) => [node.id, node]));
        expect([nodes.size, folders.nodes.length]).toEqual([
          folders.totalCount + requests.totalCount,
          folders.totalCount,
        ]);
        const flat = (list: readonly Node[]): Node[] =>
          list.flatMap(({ id }) => [nodes.get(id)!, ...flat(nodes.get(id)?.items ?? [])]);
        const ofKind = (list: readonly Node[], kind: string) => idsOf(list.filter((node) => node.__typename === kind));
        expect(ofKind(flat(items), 'Request')).toEqual(idsOf(requests.nodes));
        expect(ofKind(flat(items), 'Folder')).toEqual(idsOf(folders.nodes));
        for (const folder of folders.nodes) {
          const below = flat(folder.items ?? []);
          expect(idsOf(folder.requests?.nodes ?? [])).toEqual(ofKind(below, 'Request'));
          expect(idsOf(folder.folders?.nodes ?? [])).toEqual(ofKind(below, 'Folder'));
        }
        const walked: string[] = [];
        for (let after: string | null = null; ; ) {
          const page: Collection['requests'] = (await run(document, PAGE, { variableValues: { after } })).requests;
          walked.push(...idsOf(page.nodes));
          if (!page.pageInfo.hasNextPage) break;
          after = page.pageInfo.endCursor;
        }
        expect(walked).toEqual(idsOf(requests.nodes));
      }),
      runs,
    );
  });

  it('is complete with a filter that matches everything, and finds each request by its own values', () => {
    assert(
      property(anyDocument, nat(), (document, at) => {
        const { requests, folders } = createCollectionTree(document, UID);
        const method = requests.map((request) => methodOf(definitionOf(request)));
        for (const filter of [
          undefined,
          null,
          {},
          { method: [] },
          { method },
          { search: '', host: '' },
          { folderUid: null },
        ]) {
          expect(runAtOnce(findRequests(requests, filter))).toEqual(requests);
        }
        const some = <T>(list: readonly T[]) => list.slice(at % Math.max(list.length, 1)).slice(0, 1);
        for (const one of some(requests)) {
          const url = toUrl(definitionOf(one).url);
          const search = url === null ? '' : urlRaw(url);
          const host = url === null ? '' : urlHost(url).join('.');
          expect(runAtOnce(findRequests(requests, { search, host, method: [methodOf(definitionOf(one))] }))).toContain(
            one,
          );
        }
        for (const { id } of some(folders)) {
          // The id of one folder can be the uid of an earlier one.
          const named = folders.find((folder) => folder.id === id || folder.uid === id);
          expect(runAtOnce(findRequests(requests, { folderUid: id }))).toEqual(
            requests.slice(named?.firstRequest, named?.endRequest),
          );
        }
      }),
      runs,
    );
  });
});

describe('the secrets of a collection', () => {
  it('are neither in a field nor in its JSON, unless they are revealed', async () => {
    await assert(
      asyncProperty(collections(canary).map(toDocument), async (document) => {
        const response = JSON.stringify(await run(document));
        expect(CANARIES.filter((secret) => response.includes(secret))).toEqual([]);
        const revealed = await run(document, EVERYTHING, { revealSecrets: true });
        expect(JSON.stringify(revealed.json)).toEqual(JSON.stringify(document));
      }),
      runs,
    );
  });

  const found = (value: unknown, what: RegExp) => new Set(JSON.stringify(value).match(what));

  it('stay readable if they are references', async () => {
    const references = /\{\{kept-w\d+w\}\}/g;
    await assert(
      asyncProperty(collections(reference).map(toDocument), async (document) => {
        const { json: shownJson, ...shown } = await run(document);
        const { json, ...revealed } = await run(document, EVERYTHING, { revealSecrets: true });
        expect(found(shownJson, references)).toEqual(found(json, references));
        expect(found(shown, references)).toEqual(found(revealed, references));
      }),
      runs,
    );
  });

  it('are masked alike in the fields and in the JSON', async () => {
    const words = /w\d+w/g;
    await assert(
      asyncProperty(anyDocument, async (document) => {
        const { json, ...fields } = await run(document);
        const { json: _json, ...revealed } = await run(document, EVERYTHING, { revealSecrets: true });
        const inFields = found(fields, words);
        const inJson = found(json, words);
        const withheld = [...found(revealed, words)].filter((word) => !inFields.has(word));
        expect(withheld.filter((word) => inJson.has(word))).toEqual([]);
      }),
      runs,
    );
  });

  it('are all that is masked: a document without secrets is shown unchanged', async () => {
    await assert(
      asyncProperty(collections(constantFrom('', '{{kept}}')).map(toDocument), async (document) => {
        // Of these, only members that are known not to be secret are shown.
        const places = new Set(['auth', 'cookie', 'cookies', 'proxy', 'certificate', 'secret']);
        const plain = JSON.parse(JSON.stringify(document), (key, value: unknown) => {
          if (places.has(key) || isCredentialName(key)) return undefined;
          return key === 'type' && typeof value === 'string' && /secret|password/i.test(value) ? 'default' : value;
        }) as JsonObject;
        expect(runAtOnce(maskItems(plain))).toBe(plain);
        expect(await run(plain)).toEqual(await run(plain, EVERYTHING, { revealSecrets: true }));
      }),
      runs,
    );
  });

  it('do not change when they are masked again', () => {
    assert(
      property(anyDocument, (document) => {
        const masked = runAtOnce(maskItems(document));
        expect(runAtOnce(maskItems(masked))).toBe(masked);
      }),
      runs,
    );
  });
});

describe('a URL', () => {
  const urlOf = (json: unknown) => toUrl(json, true) as Url;
  const partsOf = (json: unknown) => {
    const url = urlOf(json);
    return {
      protocol: urlProtocol(url),
      host: urlHost(url),
      port: urlPort(url),
      path: urlPath(url),
      query: urlQuery(url).map(({ key, value }) => ({ key, value })),
      hash: urlHash(url),
    };
  };
  const name = oneof(
    stringMatching(/^[a-z0-9_~!$'()*+,;%é漢-]{1,6}$/),
    constantFrom('{{a}}', '{{a.b/c?d#e:f@g&h=i}}', 'x{{a}}', '{{a}}{{b}}'),
  );

  it('keeps its text, whatever its parts are', () => {
    assert(
      property(anyJson, anyJsonObject, (raw, more) => {
        const text = typeof raw === 'string' ? raw : JSON.stringify(raw);
        expect(urlRaw(urlOf(text))).toBe(text);
        expect(urlRaw(urlOf({ ...more, raw: text }))).toBe(text);
      }),
      runs,
    );
  });

  it('assembled from its parts is parsed into the same parts', () => {
    const urls = record({
      protocol: option(constantFrom('https', 'http', 'ws', '{{scheme}}')),
      host: array(name, { minLength: 1, maxLength: 4 }),
      port: option(oneof(integer({ min: 1, max: 65_535 }).map(String), constantFrom('{{port}}'))),
      path: array(oneof(name, constantFrom('', ':id', 'a:b', 'a.b', 'a@b', '}}')), { maxLength: 4 }),
      query: array(record({ key: name, value: option(oneof(name, constantFrom('', 'a=b', '/', '?', ':@'))) }), {
        maxLength: 3,
      }),
      hash: option(oneof(name, constantFrom('', '#', '?a=b&c'))),
    });
    assert(
      property(urls, (url) => {
        expect(partsOf(urlRaw(urlOf(url)))).toEqual(url);
        expect(partsOf({ raw: urlRaw(urlOf(url)) })).toEqual(url);
        expect(partsOf(url)).toEqual(url);
      }),
      runs,
    );
  });

  it('of any text, parsed and assembled, is parsed into the same parts again', () => {
    const text = string({
      unit: constantFrom('a', '.', '/', ':', '@', '?', '&', '=', '#', '{{', '}}', '1', '[', '://'),
    });
    assert(
      property(text, (raw) => {
        const parts = partsOf(raw);
        expect(partsOf(urlRaw(urlOf(parts)))).toEqual(parts);
      }),
      runs,
    );
  });
});

describe('a JSON value', () => {
  it('that can be serialised is returned unchanged every time', () => {
    assert(
      property(anyJson, (value) => {
        const once = toWritableJson(value);
        expect(once).toBe(value);
        expect(toWritableJson(once)).toBe(once);
      }),
      runs,
    );
  });

  it('of any kind gives rows that are objects, and the same rows from these', () => {
    assert(
      property(anyJson, (value) => {
        const rows = toRows(value);
        expect(rows.every(isJsonObject)).toBe(true);
        expect(toRows(rows)).toEqual(rows);
      }),
      runs,
    );
  });
});
