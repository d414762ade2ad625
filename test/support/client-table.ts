import { it, type TestContext } from 'vitest';

/** The clients of the table that `npm run test:clients` prints. */
export const tableClients = [
  'Apollo Client 4',
  'urql with graphcache',
  'Relay',
  'fetch',
  'GraphiQL',
  'Apollo Gateway',
  'Hive Gateway',
] as const;

/** The features of the table. */
export const tableFeatures = [
  'identity',
  'paging',
  '2022 multipart',
  '2022 SSE',
  'v0.2 multipart',
  'v0.2 SSE',
  'documentId',
  'doc_id',
  'sha256Hash',
  'stored queries',
  'GET',
  'guard, waiting',
] as const;

export type TableClient = (typeof tableClients)[number];
export type TableFeature = (typeof tableFeatures)[number];

/** A cell of the table. It is filled if all tests that report it pass. */
export type Cell = readonly [client: TableClient, feature: TableFeature];

declare module 'vitest' {
  interface TaskMeta {
    /** The cells that the test reports. */
    cells?: readonly Cell[];
  }
}

/** Reports cells of the table from a test. The table counts them if the test passes. */
export function reportCells({ task }: Pick<TestContext, 'task'>, ...cells: readonly Cell[]): void {
  task.meta.cells = [...(task.meta.cells ?? []), ...cells];
}

/** Defines a test that reports one cell. */
export function itFills(client: TableClient, feature: TableFeature, name: string, test: () => unknown): void {
  // oxlint-disable-next-line vitest/valid-title, vitest/expect-expect -- both are in the test that is passed.
  it(name, async (context) => {
    reportCells(context, [client, feature]);
    await test();
  });
}

const dedicatedDocuments = 'a gateway sends documents of its own making';
const onePart = 'gateways that run in Node request subgraphs in one part';
const byLabel = 'Relay takes each part by its label and path, which this format names only when it announces the part';
const besideList = 'urql 6.0.3 reads @defer of this format, but puts rows of @stream beside their list, not into it';
const noEvents = 'its fetcher requests event streams only for subscriptions and live queries';
const justShows = 'GraphiQL shows responses, and keeps no objects';

/** Why a cell is empty. */
export const emptyCells: Readonly<Partial<Record<TableClient, Readonly<Partial<Record<TableFeature, string>>>>>> = {
  'Apollo Client 4': {
    '2022 SSE': 'its HttpLink accepts multipart only',
    'v0.2 SSE': 'its HttpLink accepts multipart only',
    documentId: 'its link sends hashes',
    doc_id: 'only Relay sends it',
  },
  'urql with graphcache': {
    'v0.2 multipart': besideList,
    'v0.2 SSE': besideList,
    documentId: 'its client refuses a document that has an id alone',
    doc_id: 'only Relay sends it',
  },
  Relay: {
    'v0.2 multipart': byLabel,
    'v0.2 SSE': byLabel,
    documentId: 'its documentation names doc_id',
    sha256Hash: 'its compiler persists by MD5',
    'stored queries': 'its compiler persists all documents',
    paging: 'its pagination needs React, which these tests do not have',
    GET: 'an application passes it a function that sends POST or GET',
  },
  fetch: {
    identity: 'it has no cache of objects',
  },
  GraphiQL: {
    identity: justShows,
    paging: justShows,
    '2022 multipart': 'npm run test:e2e shows the rows of a stream in Chromium',
    '2022 SSE': noEvents,
    'v0.2 multipart': 'its fetcher names no format in Accept, and so receives that of 2022',
    'v0.2 SSE': noEvents,
    documentId: 'it sends the text that is in the editor',
    doc_id: 'it sends the text that is in the editor',
    sha256Hash: 'it sends the text that is in the editor',
    'stored queries': 'it sends the text that is in the editor',
    GET: 'its fetcher sends POST',
    'guard, waiting': 'it shows the error and its time; people wait',
  },
  'Apollo Gateway': {
    '2022 multipart': onePart,
    '2022 SSE': onePart,
    'v0.2 multipart': onePart,
    'v0.2 SSE': onePart,
    documentId: dedicatedDocuments,
    doc_id: dedicatedDocuments,
    sha256Hash: dedicatedDocuments,
    'stored queries': 'it sends hashes only with its option apq',
    GET: 'it sends POST, unless its option apq is on',
  },
  'Hive Gateway': {
    '2022 multipart': onePart,
    '2022 SSE': onePart,
    'v0.2 multipart': onePart,
    'v0.2 SSE': onePart,
    documentId: dedicatedDocuments,
    doc_id: dedicatedDocuments,
    sha256Hash: dedicatedDocuments,
    'stored queries': dedicatedDocuments,
    GET: 'it sends POST',
  },
};
