/** The part of `AbortSignal` that this program uses. An `AbortSignal` is one, too. */
export interface StopSignal {
  readonly aborted: boolean;
  /** Why it was aborted. */
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A controller and its signal in one object. Each request needs several, and seldom aborts any of them. An
 * `AbortController` with a listener takes 10 µs of CPU, because it makes an event target; a `Stop` takes 0.2 µs.
 */
export class Stop implements StopSignal {
  aborted = false;
  reason: unknown;
  #listeners: Set<() => void> | undefined;

  /** Calls each listener once, in the order in which they were added. A second call has no effect. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners) for (const listener of listeners) listener();
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** A listener that is added after the abort is never called, as with an `AbortSignal`. */
  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.aborted) (this.#listeners ??= new Set()).add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners?.delete(listener);
  }
}
