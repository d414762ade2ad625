import type { GraphQLError } from 'graphql';
import type { ResultIncrement } from './incremental.ts';
import type { DeferredPart, FoundParts, PartTree, PlannedData, StreamedList } from './part-tree.ts';

type Path = readonly (string | number)[];

/** An error as a part has it: GraphQL's own, or one as JSON. */
export type PartError = Pick<GraphQLError, 'message' | 'path' | 'extensions'>;

/** One part of an incremental response in the format `incrementalSpec=v0.2`. */
export interface AnnouncedPart {
  /** Only the first part has it. */
  readonly data?: unknown;
  readonly errors?: readonly PartError[];
  /** What will be delivered later, each before or together with its first data. */
  readonly pending?: readonly { readonly id: string; readonly path: Path; readonly label?: string }[];
  readonly incremental?: readonly Increment[];
  /** What has been delivered as a whole or, with `errors`, cannot be. */
  readonly completed?: readonly { readonly id: string; readonly errors?: readonly PartError[] }[];
  readonly hasNext?: boolean;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Data of a pending part. */
export interface Increment {
  readonly id: string;
  /** Leads from the path of the pending part to the object that has the data. */
  readonly subPath?: Path;
  readonly data?: unknown;
  readonly items?: readonly unknown[];
  readonly errors?: readonly PartError[];
}

/** What is sent together. */
export interface Sending {
  readonly pending: { readonly id: string; readonly path: Path; readonly label?: string }[];
  readonly incremental: Increment[];
  readonly completed: { readonly id: string; readonly errors?: readonly PartError[] }[];
}

/** Sends the parts of one response in the order that the format demands. */
export type PartSender = ReturnType<typeof createPartSender>;

/**
 * Makes the sender of one response. A use of `@defer` is sent when all of its data is there, and a part inside of
 * another one after that one.
 */
export function createPartSender(tree: Pick<PartTree, 'forget'>) {
  const open = new Set<DeferredPart | StreamedList>();
  const outbox = createOutbox();

  const announce = (part: DeferredPart | StreamedList) => {
    outbox.announce(part);
    open.add(part);
  };

  const complete = (part: DeferredPart | StreamedList, errors?: readonly PartError[]) => {
    open.delete(part);
    outbox.complete(part.id ?? '', errors);
  };

  /** Announces what can be delivered once this data has been sent. */
  const release = ({ deferred, streamed }: FoundParts) => {
    for (const part of deferred) {
      part.isContained = true;
      promote(part);
    }
    for (const list of streamed) {
      announce(list);
      for (const { increment, found } of list.waiting.splice(0)) sendItems(list, increment, found);
      if (list.errors) complete(list, list.errors);
    }
  };

  const promote = (part: DeferredPart) => {
    const isReady = part.isContained && (!part.parent || part.parent.state === 'completed');
    if (part.state !== 'waiting' || !isReady) return;
    if (part.errors) {
      announce(part);
      part.state = 'failed';
      complete(part, part.errors);
      return;
    }
    // All of it has been sent for others.
    if ([...part.data].every(({ isSent }) => isSent)) {
      end(part);
      return;
    }
    announce(part);
    part.state = 'pending';
    if (part.missing === 0) deliver(part);
  };

  const end = (part: DeferredPart) => {
    part.state = 'completed';
    tree.forget(part);
    for (const child of part.children) promote(child);
  };

  const deliver = (part: DeferredPart) => {
    const sent = [...part.data].filter(({ isSent }) => !isSent);
    for (const data of sent) sendData(data, part);
    complete(part);
    part.state = 'completed';
    for (const { found } of sent) if (found) release(found);
    end(part);
  };

  /** Sends data for the part that is complete, or for a pending one that is nearer to it. */
  const sendData = (data: PlannedData, whole: DeferredPart) => {
    data.isSent = true;
    const pending = data.parts.filter(({ state }) => state === 'pending');
    const nearest = (best: DeferredPart, one: DeferredPart) => (one.path.length > best.path.length ? one : best);
    const { id = '', path } = pending.reduce(nearest, whole);
    const subPath = data.path.slice(path.length);
    outbox.addData({
      id,
      ...(subPath.length > 0 && { subPath }),
      data: data.increment?.data,
      ...withErrors(data.increment?.errors),
    });
  };

  const sendItems = (list: StreamedList, { items = [], errors = [] }: ResultIncrement, found: FoundParts) => {
    outbox.addItems(list.id ?? '', items ?? [], errors);
    list.sentCount += items?.length ?? 0;
    release(found);
    if (list.length !== undefined && list.sentCount >= list.length) complete(list);
  };

  return {
    /** The parts that are announced and not complete. */
    open: open as ReadonlySet<DeferredPart | StreamedList>,
    release,
    deliver,
    sendItems,
    complete,
    addErrors: outbox.addErrors,
    take: outbox.take,
  };
}

/** Collects what is sent in one part. */
function createOutbox() {
  let nextId = 0;
  let sending = createSending();
  return {
    announce(part: DeferredPart | StreamedList) {
      part.id = String(nextId++);
      const { id, path, label } = part;
      sending.pending.push({ id, path, ...(label !== undefined && { label }) });
    },
    complete: (id: string, errors?: readonly PartError[]) =>
      void sending.completed.push({ id, ...(errors && { errors }) }),
    addData: (increment: Increment) => void sending.incremental.push(increment),
    /** Adds items to those of the same list. */
    addItems(id: string, items: readonly unknown[], errors: readonly PartError[]) {
      const index = sending.incremental.findIndex((increment) => increment.id === id);
      const before = sending.incremental[index];
      const increment = {
        id,
        items: [...(before?.items ?? []), ...items],
        ...withErrors([...(before?.errors ?? []), ...errors]),
      };
      if (before) sending.incremental[index] = increment;
      else sending.incremental.push(increment);
    },
    /** Adds errors to the last data. Returns false if there is none. */
    addErrors(errors: readonly PartError[]): boolean {
      const last = sending.incremental.pop();
      if (last) sending.incremental.push({ ...last, errors: [...(last.errors ?? []), ...errors] });
      return last !== undefined;
    },
    /** Takes what is to be sent now. */
    take(): Sending {
      const taken = sending;
      sending = createSending();
      return taken;
    },
  };
}

const createSending = (): Sending => ({ pending: [], incremental: [], completed: [] });

/** Errors as a member, if there are any. */
export const withErrors = (errors: readonly PartError[] | undefined) => (errors && errors.length > 0 ? { errors } : {});
