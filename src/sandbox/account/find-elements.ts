import { type Account, toUid } from './account.ts';

/** An element that can be found by its owner and id. */
interface Owned {
  readonly owner: string;
  readonly id: string;
}

/** Returns the elements with these uids, in the order of the uids. Unknown uids are ignored. */
export function findByUids<T extends Owned>(elements: readonly T[], uids: readonly string[]): T[] {
  const byUid = new Map(elements.map((element) => [toUid(element), element]));
  return uids.flatMap((uid) => byUid.get(uid) ?? []);
}

/** Finds an element by uid. A bare id finds only elements of the key's user. */
export function findElement<T extends Owned>(account: Account, elements: readonly T[], id: string): T | undefined {
  const me = String(account.user.id);
  return elements.find((element) => toUid(element) === id || (element.owner === me && element.id === id));
}
