import { readWithSdk } from './ask-sdk.ts';
import { compareContents, type Contents } from './contents.ts';
import { type JsonRecord, toRecord, toRecords } from './json.ts';
import type { Meter } from './meter.ts';
import type { Queries } from './queries.ts';
import { type ReportedContents, readFlat, readNested } from './read-answer.ts';
import { walkDocument } from './walk-document.ts';

/** Result of checking one collection. */
export interface CheckedCollection {
  /** Contents of the file, independent of the results. */
  readonly source: Contents;
  /** One line per problem. */
  readonly problems: readonly string[];
}

/** The three results that contain a collection, and the document itself. */
export interface CollectionResults {
  readonly flat: ReportedContents;
  readonly nested: ReportedContents;
  readonly json: unknown;
}

/** Queries everything about a collection and compares it with the document of its file. */
export async function checkCollection(
  meter: Meter,
  queries: Queries,
  uid: string,
  document: JsonRecord,
): Promise<CheckedCollection> {
  const source = walkDocument(document);
  const collection = await meter.query(queries.collection, { uid });
  const folders = await meter.queryPages(queries.folders, 'folders', { uid });
  const requests = await meter.queryPages(queries.requests, 'requests', { uid });
  const { items } = await meter.query(queries.items(source.depth), { uid });
  const results = {
    flat: readFlat(collection, folders, requests),
    nested: readNested(collection, toRecords(items)),
    json: collection.json,
  };
  return { source, problems: judge(document, source, results) };
}

/** Returns the differences between a document and the results about it. */
export function judge(document: JsonRecord, source: Contents, { flat, nested, json }: CollectionResults): string[] {
  return [
    ...compareContents('lists', source, flat),
    ...compareContents('tree', source, nested),
    ...compareContents('json', source, walkDocument(toRecord(json))),
    ...compareWithSdk(document, flat),
    ...(isSame(flat.ids, nested.ids) ? [] : ['the lists and the tree have other ids, or another order']),
    ...(new Set(flat.ids).size === flat.ids.length ? [] : ['ids are not unique']),
  ];
}

function compareWithSdk(document: JsonRecord, flat: Contents): string[] {
  try {
    const none = { collection: [], folders: [] };
    return compareContents('SDK', { ...none, ...readWithSdk(document) }, { ...flat, ...none });
  } catch (error) {
    return [`the SDK cannot read it: ${String(error)}`];
  }
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((id, index) => id === other[index]);
}
