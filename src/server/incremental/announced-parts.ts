import type { ResultIncrement, ResultPart } from './incremental.ts';
import type { PartPlan } from './part-plan.ts';
import { type AnnouncedPart, createPartSender, type PartError, withErrors } from './part-sender.ts';
import { createPartTree, type DeferredPart, type StreamedList } from './part-tree.ts';

// Clients take a completed part without errors for a success.
const NOT_DELIVERED: PartError = {
  message: 'This part cannot be delivered.',
  path: undefined,
  extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false },
};

/**
 * Makes the function that turns the parts of one response into the format `incrementalSpec=v0.2`.
 *
 * @param plan - The plan that the parts come from.
 * @param lengthOf - Returns the number of rows of a streamed list; undefined if it is not known.
 * @returns A function that returns nothing if there is nothing to send yet.
 * @see https://specs.apollo.dev/incremental/v0.2
 */
export function createAnnouncedParts(
  plan: PartPlan,
  lengthOf: (path: readonly (string | number)[]) => number | undefined,
): (part: ResultPart) => AnnouncedPart | undefined {
  const tree = createPartTree(plan, lengthOf);
  const sender = createPartSender(tree);
  let hasBegun = false;

  const acceptItems = (increment: ResultIncrement) => {
    const list = tree.listOf(increment.path ?? []);
    if (!list) return;
    if (increment.items === null) {
      list.errors = increment.errors ?? [NOT_DELIVERED];
      if (sender.open.has(list)) sender.complete(list, list.errors);
      return;
    }
    const found = tree.findInItems(list, increment);
    if (sender.open.has(list)) sender.sendItems(list, increment, found);
    else if (list.id === undefined) list.waiting.push({ increment, found });
  };

  const acceptData = (increment: ResultIncrement) => {
    const data = tree.dataOf(increment);
    if (!data) return;
    const alive = data.parts.filter((part) => !part.errors);
    if (increment.data == null) {
      for (const part of alive) {
        part.errors = increment.errors ?? [NOT_DELIVERED];
        if (part.state !== 'pending') continue;
        part.state = 'failed';
        sender.complete(part, part.errors);
      }
      return;
    }
    if (alive.length === 0) return;
    data.increment = increment;
    data.found = tree.findInData(data, increment);
    for (const part of data.parts) part.missing--;
    for (const part of alive) if (part.state === 'pending' && part.missing === 0) sender.deliver(part);
  };

  /**
   * Completes what is still open at the end, with the errors that the last part has.
   *
   * @returns The errors that belong nowhere.
   */
  const acceptEnd = (errors: readonly PartError[]): readonly PartError[] => {
    const others = errors.filter((error) => {
      const failed = [...sender.open].filter((part) => isFailedBy(part, error));
      for (const part of failed) part.errors = [...(part.errors ?? []), error];
      return failed.length === 0;
    });
    const isSent = others.length === 0 || sender.addErrors(others) || addToList(others);
    for (const part of sender.open) sender.complete(part, part.errors ?? (isWhole(part) ? undefined : [NOT_DELIVERED]));
    return isSent ? [] : others;
  };

  /** Sends errors with no rows of a list, because a later part has no errors of its own in this format. */
  const addToList = (errors: readonly PartError[]): boolean => {
    const list = [...sender.open].find((part) => 'sentCount' in part && !part.errors);
    if (!list || !('sentCount' in list)) return false;
    sender.sendItems(list, { items: [] }, { deferred: [], streamed: [] });
    return sender.addErrors(errors);
  };

  return ({ data, errors, incremental = [], hasNext, extensions }) => {
    const isFirst = !hasBegun;
    hasBegun ||= data !== undefined;
    if (isFirst && data != null) sender.release(tree.findInResult(data));
    for (const increment of incremental) {
      if (increment.items === undefined) acceptData(increment);
      else acceptItems(increment);
    }
    const isLast = hasNext === false;
    const left = isFirst ? errors : isLast ? acceptEnd(errors ?? []) : errors;
    const { pending, incremental: increments, completed } = sender.take();
    const isEmpty = increments.length + completed.length + pending.length === 0;
    if (isEmpty && !isFirst && !isLast && !left?.length) return undefined;
    return {
      ...(data !== undefined && { data }),
      ...withErrors(left),
      ...((pending.length > 0 || (isFirst && hasNext === true)) && { pending }),
      ...(increments.length > 0 && { incremental: increments }),
      ...(completed.length > 0 && { completed }),
      ...(hasNext !== undefined && { hasNext }),
      ...(extensions && { extensions }),
    };
  };
}

/**
 * Whether all of an open part has been delivered at the end. A list whose length is known can lack rows: when two of
 * them fail at once, the executor reports neither.
 */
const isWhole = (part: DeferredPart | StreamedList) =>
  'sentCount' in part && (part.length === undefined || part.sentCount >= part.length);

/** Whether an error at the end is why a part is not complete: it ended the operation, or concerns what is missing. */
function isFailedBy(part: DeferredPart | StreamedList, { path }: PartError): boolean {
  if (!path) return true;
  if (!part.path.every((key, index) => path[index] === key)) return false;
  const row = path[part.path.length];
  return !('sentCount' in part) || row === undefined || Number(row) >= part.sentCount;
}
