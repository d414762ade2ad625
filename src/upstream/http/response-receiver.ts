import type { Dispatcher } from 'undici';
import type { BodyRead } from './body/body-memory.ts';
import { type Body, type BodyContext, type BodyLimits, type BodyReader, createBodyReader } from './body/read-body.ts';
import type { ResponseHeaders } from './rate-limit-headers.ts';

/** A response with its body, which has been read but not decoded. */
export interface RawResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** Absent: the status is not 200, and the body could not be read. */
  readonly body?: Body | undefined;
}

/** What a `ResponseReceiver` needs. */
export interface ReceiverOptions {
  /** The route's template, for errors. */
  readonly route: string;
  /** Time until the last byte of the body has been read. */
  readonly timeoutMs: number;
  /** Size limits of a body with status 200. */
  readonly limits: BodyLimits;
  /** Size limits of any other body. */
  readonly errorLimits: BodyLimits;
  /** The memory of the body. It is closed if the time is up while the body waits for memory. */
  readonly bodyRead: BodyRead;
  resolve(response: RawResponse): void;
  /** Gets the errors of undici as they are. */
  reject(error: unknown): void;
}

/** The time-out of a call. */
class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Receives one response: undici's handler of a request. It reads the body by callbacks; a stream for each body would
 * take more CPU time than everything else that a call needs. When reading fails, it closes the connection.
 */
export class ResponseReceiver implements Dispatcher.DispatchHandler {
  readonly #options: ReceiverOptions;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #head: BodyContext | undefined;
  #body: BodyReader | undefined;
  #timeout: TimeoutError | undefined;
  #isWaiting = false;
  #isSettled = false;

  /** Starts the time-out. */
  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => this.#endTime(), options.timeoutMs).unref();
  }

  /** Whether the time was up before the response was complete. */
  get isTimedOut(): boolean {
    return this.#timeout !== undefined;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The call may have waited for a connection until now.
    if (this.#timeout) controller.abort(this.#timeout);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    const isInterim = status < 200;
    if (isInterim) return;
    this.#head = { route: this.#options.route, status, headers };
    try {
      const { limits, errorLimits } = this.#options;
      this.#body = createBodyReader(this.#head, {
        limits: status === 200 ? limits : errorLimits,
        takeMemory: this.#takeMemory,
        onError: this.#fail,
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isSettled) return;
    try {
      const ready = this.#body?.add(chunk);
      if (!ready) return;
      controller.pause();
      ready.then(() => controller.resume(), this.#fail);
    } catch (error) {
      this.#fail(error);
    }
  }

  onResponseEnd(): void {
    if (this.#isSettled) return;
    try {
      const body = this.#body?.end();
      if (body instanceof Promise) body.then(this.#succeed, this.#fail);
      else this.#succeed(body);
    } catch (error) {
      this.#fail(error);
    }
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #endTime(): void {
    this.#timeout = new TimeoutError('The response was not complete in time.');
    if (this.#isWaiting) {
      // The wait rejects, so the reader fails.
      this.#options.bodyRead.close();
      return;
    }
    // A call without a connection ends when it gets one, or when that fails: only then is it known whether it was sent.
    if (this.#controller) this.#fail(this.#timeout);
  }

  readonly #takeMemory = (bytes: number): Promise<void> | undefined => {
    const memoryReady = this.#options.bodyRead.take(bytes);
    if (!memoryReady) return undefined;
    this.#isWaiting = true;
    return memoryReady.finally(() => (this.#isWaiting = false));
  };

  readonly #succeed = (body: Body | undefined): void => {
    if (this.#isSettled || !this.#head) return;
    this.#settle();
    const { status, headers } = this.#head;
    this.#options.resolve({ status, headers, body });
  };

  readonly #fail = (error: unknown): void => {
    if (this.#isSettled) return;
    this.#settle();
    const reason = error instanceof Error ? error : new TypeError('The response could not be read', { cause: error });
    this.#body?.destroy(reason);
    this.#controller?.abort(reason);
    // An error needs only its status and headers; a gateway's error page may have any encoding, or be cut off.
    if (this.#head && this.#head.status !== 200) {
      const { status, headers } = this.#head;
      this.#options.resolve({ status, headers });
    } else this.#options.reject(error);
  };

  #settle(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
  }
}
