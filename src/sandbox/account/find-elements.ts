import { type Account, toUid } from './account.ts';

/** What finds an element: its owner and its id. */
interface Owned {
  readonly owner: string;
  readonly id: string;
}

/** The elements of these uids, in their order; uids that nothing has are passed over. */
export function findByUids<T extends Owned>(elements: readonly T[], uids: readonly string[]): T[] {
  const byUid = new Map(elements.map((element) => [toUid(element), element]));
  return uids.flatMap((uid) => byUid.get(uid) ?? []);
}

/** Finds an element by uid; by the bare id only what the key's owner owns. */
export function findElement<T extends Owned>(account: Account, elements: readonly T[], id: string): T | undefined {
  const me = String(account.user.id);
  return elements.find((element) => toUid(element) === id || (element.owner === me && element.id === id));
}
