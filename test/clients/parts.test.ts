import {
  createOperationDescriptor,
  Environment,
  fetchQuery,
  getSelector,
  type GraphQLResponse,
  Network,
  Observable,
  RecordSource,
  Store,
} from 'relay-runtime';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type AnnouncedPart, reassemble } from '../support/announced.ts';
import { itFills } from '../support/client-table.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { merge, type Part, queryInParts } from '../support/parts.ts';
import { compileRelayProject, type RelayProject } from './relay-project.ts';

const id = ids.workspaces.riderPlatform;
const toQuery = (stream = '', defer = '') => `{ workspace(id: "${id}") {
  id name
  collections { nodes ${stream} { id name description } }
  ... ${defer} { environments { nodes { id name } } }
} }`;
const IN_PARTS = toQuery('@stream(initialCount: 1, label: "rows")', '@defer(label: "environments")');

let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ CACHE_TTL_MS: '0' });
});
afterAll(() => facade.close());

interface Workspace {
  readonly workspace: { readonly collections: { readonly nodes: readonly object[] }; readonly environments: object };
}

async function queryWhole(): Promise<Workspace> {
  const { data, errors } = await facade.query(toQuery());
  expect(errors).toEqual([]);
  return data as Workspace;
}

/** The parts of a response, each as it was sent. */
async function readParts(accept: string, query: string, variables: object = {}): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for await (const part of queryInParts(facade, query, { variables, headers: { accept } })) parts.push(part);
  return parts;
}

describe('fetch', () => {
  for (const [feature, accept] of [
    ['2022 multipart', 'multipart/mixed;deferSpec=20220824'],
    ['2022 SSE', 'text/event-stream;deferSpec=20220824'],
    ['v0.2 multipart', 'multipart/mixed;incrementalSpec=v0.2'],
    ['v0.2 SSE', 'text/event-stream;incrementalSpec=v0.2'],
  ] as const) {
    itFills('fetch', feature, `reads parts of ${accept}, which make the response in one piece`, async () => {
      const whole = await queryWhole();
      const parts = await readParts(accept, IN_PARTS);
      expect(parts.length).toBeGreaterThan(1);
      expect(parts[0]?.data).toMatchObject({ workspace: { collections: { nodes: [{ name: 'Rides API' }] } } });
      expect(parts[0]).not.toHaveProperty('data.workspace.environments');
      if (feature.startsWith('v0.2')) {
        expect(reassemble(parts as readonly unknown[] as readonly AnnouncedPart[])).toEqual({
          data: whole,
          errors: [],
          failed: [],
        });
      } else {
        expect(parts.flatMap(({ incremental = [] }) => incremental.flatMap(({ errors = [] }) => errors))).toEqual([]);
        expect(merge(parts)).toEqual(whole);
      }
    });
  }
});

describe('relay-runtime, with a network that passes it the parts of 2022', () => {
  let project: RelayProject;
  beforeAll(async () => {
    project = await compileRelayProject();
  });

  const createEnvironment = (accept: string) =>
    new Environment({
      network: Network.create(({ text }, variables) =>
        Observable.create((sink) => {
          readAsRelay(accept, text ?? '', variables, (response) => sink.next(response)).then(
            () => sink.complete(),
            (error: unknown) => sink.error(error as Error),
          );
        }),
      ),
      store: new Store(new RecordSource()),
    });

  for (const [feature, accept] of [
    ['2022 multipart', 'multipart/mixed;deferSpec=20220824'],
    ['2022 SSE', 'text/event-stream;deferSpec=20220824'],
  ] as const) {
    itFills('Relay', feature, `shows the rows of ${accept} as they arrive, and what was deferred`, async () => {
      const { workspace } = await queryWhole();
      const { environments, ...rest } = workspace;
      const environment = createEnvironment(accept);
      const operation = createOperationDescriptor(project.inParts, { id });
      environment.retain(operation);
      const shown: (typeof workspace)[] = [];
      await new Promise<void>((resolve, reject) => {
        fetchQuery(environment, project.inParts, { id }, { fetchPolicy: 'network-only' }).subscribe({
          next: (data) => void shown.push((data as Workspace).workspace),
          complete: resolve,
          error: reject,
        });
      });
      expect(shown[0]?.collections.nodes).toEqual(rest.collections.nodes.slice(0, 1));
      expect(shown.length).toBeGreaterThan(1);
      const last = (environment.lookup(operation.fragment).data as unknown as Workspace).workspace;
      expect(last).toMatchObject(rest);
      const selector = getSelector(project.deferred, last);
      if (selector?.kind !== 'SingularReaderSelector') throw new TypeError('The object has not this fragment');
      expect(environment.lookup(selector).data).toEqual({ environments });
    });
  }
});

/** Passes on each part as Relay takes it: one value of one path and label at a time. */
async function readAsRelay(
  accept: string,
  text: string,
  variables: object,
  onResponse: (response: GraphQLResponse) => void,
): Promise<void> {
  for await (const part of queryInParts(facade, text, { variables, headers: { accept } })) {
    if (part.data !== undefined) onResponse({ data: part.data as object });
    for (const { data, items, path, label } of part.incremental ?? []) {
      if (!items) onResponse({ data: data as object, path: [...path], label });
      for (const [index, item] of (items ?? []).entries())
        onResponse({ data: item as object, path: [...path.slice(0, -1), Number(path.at(-1)) + index], label });
    }
  }
}
