import type { Contents, Facts } from './contents.ts';
import { isRecord, type JsonRecord, toRecord, toRecords } from './json.ts';

/** Contents of a result, and the ids of all folders, requests and saved responses, in that order. */
export interface ReportedContents extends Contents {
  readonly ids: readonly unknown[];
}

/** Reads the lists of folders and of requests. */
export function readFlat(
  collection: JsonRecord,
  folders: readonly JsonRecord[],
  requests: readonly JsonRecord[],
): ReportedContents {
  const examples = requests.flatMap((request) => toRecords(request.examples));
  return {
    collection: [toOwnerFacts(collection)],
    folders: folders.map(toFolderFacts),
    requests: requests.map(toRequestFacts),
    examples: examples.map(toExampleFacts),
    ids: [...folders, ...requests, ...examples].map(({ id }) => id),
  };
}

/** Reads the tree, level by level. */
export function readNested(collection: JsonRecord, items: readonly JsonRecord[]): ReportedContents {
  const folders: JsonRecord[] = [];
  const requests: JsonRecord[] = [];
  const open = [...items].reverse();
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (item.__typename === 'Folder') {
      folders.push(item);
      open.push(...[...toRecords(item.items)].reverse());
    } else {
      requests.push(item);
    }
  }
  return readFlat(collection, folders, requests);
}

/** Reads the values of an environment or of globals. */
export function readValues(values: unknown): Facts[] {
  return toRecords(values).map(({ key, type, text }) => ({
    key: toFact(key),
    type: toFact(type),
    value: toFact(text),
  }));
}

function toFolderFacts(folder: JsonRecord): Facts {
  return { ...toOwnerFacts(folder), items: countOf(folder.items) };
}

function toRequestFacts(request: JsonRecord): Facts {
  return {
    ...toOwnerFacts(request),
    ...toDefinitionFacts(request),
    examples: countOf(request.examples),
    effectiveAuth: toFact(toRecord(request.effectiveAuth).type ?? null),
  };
}

function toOwnerFacts({ name, description, scripts, variables, auth }: JsonRecord): Facts {
  return {
    name: toFact(name),
    description: toFact(description),
    scripts: countOf(scripts),
    source: toRecords(scripts)
      .map(({ source }) => source)
      .join('\n'),
    variables: countOf(variables),
    auth: auth === null ? null : toFact(toRecord(auth).type),
  };
}

function toDefinitionFacts({ method, url, headers, body }: JsonRecord): Facts {
  const { raw, query, variables } = toRecord(url);
  const { __typename, parameters, raw: text } = toRecord(body);
  return {
    method: toFact(method),
    url: isRecord(url),
    raw: url === null ? null : toFact(raw),
    query: countOf(query),
    pathVariables: countOf(variables),
    headers: countOf(headers),
    body: body === null ? null : toFact(__typename),
    rows: countOf(parameters),
    text: toFact(text),
  };
}

function toExampleFacts({ name, code, status, headers, body, originalRequest }: JsonRecord): Facts {
  const request = isRecord(originalRequest) ? Object.entries(toDefinitionFacts(originalRequest)) : [];
  return {
    name: toFact(name),
    code: toFact(code),
    status: toFact(status),
    headers: countOf(headers),
    body: toFact(body),
    originalRequest: isRecord(originalRequest),
    ...Object.fromEntries(request.map(([field, value]) => [`originalRequest.${field}`, value])),
  };
}

function countOf(list: unknown): number | undefined {
  return Array.isArray(list) ? list.length : undefined;
}

function toFact(value: unknown): Facts[string] {
  const isSimple = value === null || ['string', 'number', 'boolean'].includes(typeof value);
  return isSimple ? (value as Facts[string]) : undefined;
}
