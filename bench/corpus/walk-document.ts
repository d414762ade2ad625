import type { Contents, Facts } from './contents.ts';
import { isRecord, type JsonRecord, toRecord, toRecords } from './json.ts';

/** GraphQL types of bodies by their mode. */
export const bodyTypes: Readonly<Record<string, string>> = {
  raw: 'RawBody',
  urlencoded: 'UrlEncodedBody',
  formdata: 'FormDataBody',
  file: 'FileBody',
  graphql: 'GraphQLBody',
};

/**
 * Reads the contents of a document in Collection Format v2, without any code of the server. Results are compared with
 * them. Leaves open what can be read in more than one way.
 */
export function walkDocument(document: JsonRecord): Contents & { readonly depth: number } {
  const folders: Facts[] = [];
  const requests: Facts[] = [];
  const examples: Facts[] = [];
  let depth = 1;
  const open = toRecords(document.item)
    .map((node) => ({ node, level: 1 }))
    .reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, level } = next;
    depth = Math.max(depth, level);
    if (Array.isArray(node.item)) {
      const below = toRecords(node.item);
      folders.push({
        ...toOwnerFacts(node),
        name: toTextFact(node.name),
        description: toDescriptionFact(node.description),
        items: below.length,
      });
      for (const child of [...below].reverse()) open.push({ node: child, level: level + 1 });
    } else {
      const saved = toRecords(node.response ?? node.responses);
      const definition = toRecord(node.request);
      requests.push({
        ...toOwnerFacts({ ...node, auth: definition.auth }),
        ...toDefinitionFacts(node.request),
        name: toTextFact(node.name),
        description: toDescriptionFact(definition.description ?? node.description),
        examples: saved.length,
      });
      examples.push(...saved.map(toExampleFacts));
    }
  }
  const info = toRecord(document.info);
  const collection = {
    ...toOwnerFacts(document),
    name: typeof info.name === 'string' && info.name.trim() !== '' ? info.name : undefined,
    description: toDescriptionFact(info.description),
  };
  return { collection: [collection], folders, requests, examples, depth };
}

/** Reads the values of an environment or of globals. */
export function walkValues(values: unknown): Facts[] {
  return toRecords(values).map(({ key, value, type, source }) => ({
    key: toTextFact(key),
    type: toTextFact(type),
    // The value of a secret in a vault is not in the file.
    value: source != null ? undefined : toTextFact(value),
  }));
}

/** Facts common to collections, folders and requests. */
function toOwnerFacts(owner: JsonRecord): Facts {
  const { auth } = owner;
  // Some documents have the names of these lists in the plural.
  const event = owner.event ?? owner.events;
  const variable = owner.variable ?? owner.variables;
  const isList = event == null || Array.isArray(event);
  const scripts = toRecords(event).map(({ script }) => (isRecord(script) ? script.exec : script));
  return {
    scripts: isList ? scripts.length : undefined,
    source: isList && scripts.every(isSource) ? scripts.map(toSource).join('\n') : undefined,
    variables: variable == null || Array.isArray(variable) ? toRecords(variable).length : undefined,
    auth: toAuthFact(auth),
  };
}

/** Facts common to requests and the requests of saved responses. */
function toDefinitionFacts(request: unknown): Facts {
  const { method, url, header, body } = typeof request === 'string' ? { url: request } : toRecord(request);
  const hasUrl = typeof url === 'string' || isRecord(url);
  const raw = isRecord(url) ? url.raw : url;
  return {
    method:
      method == null ? 'GET' : typeof method === 'string' && /^\w+$/.test(method) ? method.toUpperCase() : undefined,
    url: hasUrl,
    raw: typeof raw === 'string' ? raw : hasUrl ? undefined : null,
    query: isRecord(url) && Array.isArray(url.query) ? toRecords(url.query).length : undefined,
    pathVariables: isRecord(url) && toRecords(url.variable).length > 0 ? toRecords(url.variable).length : undefined,
    headers: toHeaderCount(header),
    ...toBodyFacts(body),
  };
}

function toBodyFacts(body: unknown): Facts {
  if (body == null) return { body: null };
  const { mode, raw, ...rest } = toRecord(body);
  const type = typeof mode === 'string' && Object.hasOwn(bodyTypes, mode) ? bodyTypes[mode] : undefined;
  const rows = typeof mode === 'string' && /^(urlencoded|formdata)$/.test(mode) ? rest[mode] : undefined;
  return {
    body: typeof body === 'string' ? 'RawBody' : type,
    rows: Array.isArray(rows) && rows.every(isRecord) ? rows.length : undefined,
    text: mode === 'raw' && typeof raw === 'string' ? raw : undefined,
  };
}

function toExampleFacts({ name, code, status, header, body, originalRequest }: JsonRecord): Facts {
  const hasRequest = typeof originalRequest === 'string' || isRecord(originalRequest);
  const request = Object.entries(hasRequest ? toDefinitionFacts(originalRequest) : {});
  return {
    name: toTextFact(name),
    code: code == null ? null : Number.isInteger(code) ? Number(code) : undefined,
    status: toTextFact(status),
    headers: toHeaderCount(header),
    body: toTextFact(body),
    originalRequest: hasRequest,
    ...Object.fromEntries(request.map(([field, value]) => [`originalRequest.${field}`, value])),
  };
}

/** Reads headers. They are a list of objects and lines, or a block of lines. */
function toHeaderCount(header: unknown): number | undefined {
  if (header == null) return 0;
  if (typeof header === 'string') return header.split('\n').filter((line) => /^\s*(\/\/)?\s*[^\s:]/.test(line)).length;
  return Array.isArray(header) && header.every(isRecord) ? header.length : undefined;
}

function toAuthFact(auth: unknown): string | null | undefined {
  if (auth == null) return null;
  const { type } = toRecord(auth);
  return typeof type === 'string' && type !== '' ? type : undefined;
}

function toTextFact(value: unknown): string | null | undefined {
  if (value == null) return null;
  return typeof value === 'string' ? value : undefined;
}

function toDescriptionFact(value: unknown): string | null | undefined {
  const text = isRecord(value) ? value.content : value;
  if (text == null) return null;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function isSource(exec: unknown): boolean {
  return (
    exec == null || typeof exec === 'string' || (Array.isArray(exec) && exec.every((line) => typeof line === 'string'))
  );
}

function toSource(exec: unknown): string {
  return (Array.isArray(exec) ? exec.join('\n') : typeof exec === 'string' ? exec : '').replaceAll('\r\n', '\n');
}
