import { toDryRun } from './dry-run.ts';
import { createPayloadReader, type Payload } from './payloads.ts';

/** What the page learns about one run. */
export interface RunWatcher {
  onResponse(response: Response, isInParts: boolean): void;
  onPayload(payload: Payload): void;
  /** Called once. `stopped`: the user stopped it; `unanswered`: no response came, or it broke off. */
  onEnd(how: 'ended' | 'stopped' | 'unanswered'): void;
}

/** What the watched `fetch` asks and reports. */
export interface FetchWatcher {
  /** Whether the next run is a dry run. Asked once for each run. */
  takeDryRun(): boolean;
  /** Called when GraphiQL sends an operation of the user. */
  onRun(kind: 'query' | 'dryRun', headers: HeadersInit | undefined): RunWatcher;
  /** Called for responses that carry the state of the budget, but are no run: the schema's. */
  onOther(response: Response): void;
}

type Fetch = typeof globalThis.fetch;

/**
 * Replaces the page's `fetch` by one that reports what GraphiQL sends and receives. It passes bodies on as they arrive,
 * and ends the request when GraphiQL stops reading.
 *
 * @returns The original.
 */
export function watchFetch(watcher: FetchWatcher): Fetch {
  const original: Fetch = globalThis.fetch.bind(globalThis);
  globalThis.fetch = async (input, init) => {
    const request = readRequest(init);
    if (!request) return original(input, init);
    if (/^\s*query IntrospectionQuery\b/.test(request.query)) {
      const response = await original(input, init);
      watcher.onOther(response);
      return response;
    }
    const query = watcher.takeDryRun() ? toDryRun(request.query, request.operationName) : undefined;
    const run = watcher.onRun(query === undefined ? 'query' : 'dryRun', init?.headers);
    try {
      const body = query === undefined ? init?.body : JSON.stringify({ ...request, query });
      return observe(await original(input, { ...init, ...(body && { body }) }), run);
    } catch (error) {
      run.onEnd(isAbort(error) ? 'stopped' : 'unanswered');
      throw error;
    }
  };
  return original;
}

function readRequest(init: RequestInit | undefined): { query: string; operationName?: string } | undefined {
  if (init?.method !== 'POST' || typeof init.body !== 'string') return undefined;
  try {
    const value = JSON.parse(init.body) as { query?: unknown } | null;
    return typeof value?.query === 'string' ? (value as { query: string }) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns a response with the same body, which is reported while it is read. */
function observe(response: Response, run: RunWatcher): Response {
  const reader = createPayloadReader(response.headers.get('content-type') ?? '');
  run.onResponse(response, reader.isInParts);
  const source = response.body?.getReader();
  if (!source) {
    run.onEnd('ended');
    return response;
  }
  const decoder = new TextDecoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await source.read();
        if (!done) {
          reader.read(decoder.decode(value, { stream: true })).forEach(run.onPayload);
          controller.enqueue(value);
          return;
        }
        reader.end().forEach(run.onPayload);
        run.onEnd('ended');
        controller.close();
      } catch (error) {
        run.onEnd(isAbort(error) ? 'stopped' : 'unanswered');
        controller.error(error);
      }
    },
    async cancel(reason) {
      run.onEnd('stopped');
      await source.cancel(reason);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
