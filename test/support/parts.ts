import type { Facade } from './facade.ts';

/** One part of an incremental response. */
export interface Part {
  // oxlint-disable-next-line typescript/no-explicit-any -- tests compare whole results, whatever their shape.
  readonly data?: any;
  readonly errors?: readonly PartError[];
  readonly incremental?: readonly {
    readonly data?: unknown;
    readonly items?: readonly unknown[];
    readonly path: readonly (string | number)[];
    readonly label?: string;
    readonly errors?: readonly PartError[];
  }[];
  readonly hasNext?: boolean;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** One entry of `errors`. */
export interface PartError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Requests an incremental response as a browser does, with fetch alone, and yields each part as it arrives. */
export async function* queryInParts(
  facade: Facade,
  query: string,
  options: { variables?: object; headers?: Record<string, string>; signal?: AbortSignal } = {},
): AsyncGenerator<Part> {
  const { variables, headers = {}, signal } = options;
  const response = await fetch(facade.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
    ...(signal && { signal }),
  });
  yield* partsOf(response);
}

/** Reads the parts of a response of either transport, or its only result. */
export async function* partsOf(response: Response): AsyncGenerator<Part> {
  const type = response.headers.get('content-type') ?? '';
  if (!response.body) throw new TypeError('The answer has no body');
  const read = type.startsWith('text/event-stream') ? readEvents : readMultipart;
  if (type.startsWith('application/')) yield (await response.json()) as Part;
  else yield* read(response.body.pipeThrough(new TextDecoderStream()), type);
}

/** Merges the parts as a client does: objects that arrive twice, by a fragment and beside it, are merged. */
export function merge(parts: readonly Part[]): unknown {
  let whole: unknown = parts[0]?.data;
  for (const { data, items, path } of parts.flatMap(({ incremental = [] }) => incremental)) {
    const added = items ? items.map((item, index) => [Number(path.at(-1)) + index, item] as const) : [];
    const target = items ? path.slice(0, -1) : path;
    whole = mergeAt(whole, target, items ? Object.fromEntries(added) : data);
  }
  return whole;
}

function mergeAt(whole: unknown, [key, ...rest]: readonly (string | number)[], added: unknown): unknown {
  if (key === undefined) return mergeBoth(whole, added);
  return mergeBoth(whole, { [key]: mergeAt((whole as Record<string | number, unknown>)[key], rest, added) });
}

function mergeBoth(one: unknown, other: unknown): unknown {
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) return other ?? one;
  const both: unknown = Array.isArray(one) ? [...(one as unknown[])] : { ...one };
  const children = both as Record<string, unknown>;
  for (const [key, value] of Object.entries(other)) {
    children[key] = Object.hasOwn(children, key) ? mergeBoth(children[key], value) : value;
  }
  return both;
}

async function* readMultipart(text: AsyncIterable<string>, type: string): AsyncGenerator<Part> {
  const boundary = `--${/boundary="?([^";]+)/.exec(type)?.[1] ?? '-'}`;
  let buffer = '';
  for await (const chunk of text) {
    buffer += chunk;
    const pieces = buffer.split(boundary);
    buffer = pieces.pop() ?? '';
    for (const piece of pieces) {
      const body = piece.split('\r\n\r\n').slice(1).join('\r\n\r\n').trim();
      if (body !== '') yield JSON.parse(body) as Part;
    }
    // A part is complete when its JSON is: its boundary arrives with the next part.
    const body = buffer.split('\r\n\r\n').slice(1).join('\r\n\r\n').trim();
    if (body.endsWith('}')) {
      const part = tryParse(body);
      if (part) {
        yield part;
        buffer = '';
      }
    }
  }
}

async function* readEvents(text: AsyncIterable<string>): AsyncGenerator<Part> {
  let buffer = '';
  for await (const chunk of text) {
    buffer += chunk;
    const events = buffer.split('\n\n');
    buffer = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: ?(.*)$/m.exec(event)?.[1];
      if (event.includes('event: next') && data) yield JSON.parse(data) as Part;
    }
  }
}

function tryParse(text: string): Part | undefined {
  try {
    return JSON.parse(text) as Part;
  } catch {
    return undefined;
  }
}
