import { createRequire } from 'node:module';
import type { Contents, Facts } from './contents.ts';
import { isRecord, type JsonRecord, toRecords } from './json.ts';
import { bodyTypes } from './walk-document.ts';

/** The used members of an SDK item. The SDK's package does not declare its types. */
interface SdkItem {
  readonly request: {
    readonly method: string;
    readonly headers: SdkList<unknown>;
    readonly body?: { readonly mode: string; isEmpty(): boolean };
  };
  readonly events: SdkList<unknown>;
  readonly responses: SdkList<{ readonly code?: number }>;
  getAuth(): { readonly type: string } | undefined;
}

interface SdkList<T> {
  count(): number;
  each(visit: (element: T) => void): void;
}

interface Sdk {
  readonly Collection: new (document: JsonRecord) => { forEachItem(visit: (item: SdkItem) => void): void };
}

const { Collection } = createRequire(import.meta.url)('postman-collection') as Sdk;

/**
 * Reads a document with Postman's own SDK. Leaves out what the SDK changes: ids, names it invents, and the text of
 * URLs, in which it replaces path variables.
 *
 * @returns Requests in the order of the document, and as many saved responses as it finds.
 * @throws {Error} Where the SDK cannot read the document.
 */
export function readWithSdk(document: JsonRecord): Pick<Contents, 'requests' | 'examples'> {
  const requests: Facts[] = [];
  const examples: Facts[] = [];
  new Collection(withoutStrays(withSingulars(document))).forEachItem((item) => {
    const { request, responses } = item;
    const { body } = request;
    requests.push({
      // The SDK leaves the key blank; the server returns what is sent.
      method: request.method.trim() || undefined,
      headers: request.headers.count(),
      body: body && !body.isEmpty() && Object.hasOwn(bodyTypes, body.mode) ? bodyTypes[body.mode] : undefined,
      scripts: item.events.count(),
      examples: responses.count(),
      effectiveAuth: item.getAuth()?.type ?? null,
    });
    responses.each((response) => examples.push({ code: response.code || undefined }));
  });
  return { requests, examples };
}

/**
 * Returns a copy whose lists of items and saved responses have only objects: the SDK turns other values into objects.
 */
function withoutStrays(document: JsonRecord): JsonRecord {
  return JSON.parse(JSON.stringify(document), (key, value: unknown) => {
    if (key === 'response') return toRecords(value);
    if (key === 'item' && Array.isArray(value)) return value.filter(isRecord).map(withSingulars);
    return value;
  }) as JsonRecord;
}

/** Names lists as the SDK knows them. */
function withSingulars({ events, responses, variables, ...rest }: JsonRecord): JsonRecord {
  return {
    ...rest,
    ...(rest.event == null && events != null && { event: events }),
    ...(rest.response == null && responses != null && { response: responses }),
    ...(rest.variable == null && variables != null && { variable: variables }),
  };
}
