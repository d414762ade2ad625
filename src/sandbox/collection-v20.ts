import { isJsonObject, type JsonObject } from './json.ts';

/**
 * Converts a collection from Collection Format v2.1 to the v2.0 that the service sent around 2017: `variables` in the
 * plural, URLs and scripts as one string, authorization parameters as a map, an empty form as the body of a GET without
 * one, and no uids, dates or forks of the API in `info` or on nodes.
 */
export function toCollectionV20(collection: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { info, item, auth, event, variable, ...rest } = collection;
  return {
    ...(variable === undefined ? {} : { variables: variable }),
    info: toInfo(info),
    item: mapList(item, toNode),
    ...(auth === undefined ? {} : { auth: toAuth(auth) }),
    ...(event === undefined ? {} : { event: mapList(event, toEvent) }),
    ...rest,
  };
}

const schemaUrl = 'https://schema.getpostman.com/json/collection/v2.0.0/collection.json';

function toInfo(info: unknown): unknown {
  if (!isJsonObject(info)) return info;
  const {
    uid: _uid,
    createdAt: _createdAt,
    updatedAt: _updatedAt,
    lastUpdatedBy: _lastUpdatedBy,
    fork: _fork,
    ...rest
  } = info;
  return { ...rest, schema: schemaUrl };
}

function toNode(node: JsonObject): JsonObject {
  const { uid: _uid, createdAt: _createdAt, updatedAt: _updatedAt, ...rest } = node;
  return {
    ...rest,
    ...(rest.event === undefined ? {} : { event: mapList(rest.event, toEvent) }),
    ...(rest.auth === undefined ? {} : { auth: toAuth(rest.auth) }),
    ...(rest.item === undefined ? {} : { item: mapList(rest.item, toNode) }),
    ...(rest.request === undefined ? {} : { request: toRequest(rest.request) }),
    ...(rest.response === undefined ? {} : { response: mapList(rest.response, toExample) }),
  };
}

function toExample(example: JsonObject): JsonObject {
  const { uid: _uid, createdAt: _createdAt, updatedAt: _updatedAt, ...rest } = example;
  return rest.originalRequest === undefined ? rest : { ...rest, originalRequest: toRequest(rest.originalRequest) };
}

function toRequest(request: unknown): unknown {
  if (!isJsonObject(request)) return request;
  const hasNoBody = request.method === 'GET' && request.body === undefined;
  return {
    ...request,
    ...(request.url === undefined ? {} : { url: toUrl(request.url) }),
    ...(request.auth === undefined ? {} : { auth: toAuth(request.auth) }),
    ...(hasNoBody ? { body: { mode: 'formdata', formdata: [] } } : {}),
  };
}

/** A string cannot express path variables, so a URL that has some stays an object. */
function toUrl(url: unknown): unknown {
  if (!isJsonObject(url) || typeof url.raw !== 'string') return url;
  return Array.isArray(url.variable) && url.variable.length > 0 ? url : url.raw;
}

function toAuth(auth: unknown): unknown {
  if (!isJsonObject(auth)) return auth;
  return Object.fromEntries(
    Object.entries(auth).map(([scheme, rows]) => [
      scheme,
      Array.isArray(rows)
        ? Object.fromEntries(rows.filter(isJsonObject).map((row) => [String(row.key), row.value]))
        : rows,
    ]),
  );
}

function toEvent(event: JsonObject): JsonObject {
  const { script } = event;
  if (!isJsonObject(script) || !Array.isArray(script.exec)) return event;
  return { ...event, script: { ...script, exec: script.exec.join('\n') } };
}

function mapList(list: unknown, toOld: (entry: JsonObject) => JsonObject): unknown {
  return Array.isArray(list) ? list.map((entry: unknown) => (isJsonObject(entry) ? toOld(entry) : entry)) : list;
}
