import type { Steps } from '../../steps.ts';
import type { RequestItem } from './collection-tree.ts';
import { definitionOf, itemDescription, itemName } from './item.ts';
import { methodOf } from '../fields/request-definition.ts';
import { toUrl, urlHost, urlRaw } from '../fields/url.ts';

/** Conditions on requests; null and missing ones match every request. */
export interface RequestFilter {
  /** Text in the name, the URL or the description, case-insensitive; empty text matches every request. */
  readonly search?: string | null | undefined;
  /** Any of these methods, case-insensitive; an empty list matches every request. */
  readonly method?: readonly string[] | null | undefined;
  /** The host or a parent domain of it, case-insensitive; empty text matches every request. */
  readonly host?: string | null | undefined;
  /** Uid or id of a folder: matches the requests below it. */
  readonly folderUid?: string | null | undefined;
}

type Condition = (request: RequestItem) => boolean;

// Searching these takes a third of a millisecond.
const REQUESTS_PER_STEP = 100;

/**
 * Returns the requests that match every condition, in order. It yields after every 100 requests.
 *
 * @param onText - Called with the length of each text before it is searched.
 * @param revealSecrets - Whether `search` finds credentials in URLs. Where they are masked, it must not: a match would
 *   reveal them.
 */
export function* findRequests(
  requests: readonly RequestItem[],
  filter: RequestFilter | null | undefined,
  onText: (length: number) => void = () => {},
  revealSecrets = false,
): Steps<readonly RequestItem[]> {
  const conditions = toConditions(filter ?? {}, requests[0], onText, revealSecrets);
  if (conditions.length === 0) return requests;
  const found: RequestItem[] = [];
  for (const [index, request] of requests.entries()) {
    if ((index + 1) % REQUESTS_PER_STEP === 0) yield;
    if (conditions.every((matches) => matches(request))) found.push(request);
  }
  return found;
}

function toConditions(
  { search, method, host, folderUid }: RequestFilter,
  anyRequest: RequestItem | undefined,
  onText: (length: number) => void,
  revealSecrets: boolean,
): Condition[] {
  const conditions: Condition[] = [];
  // The cheapest conditions first: most requests then never reach the others.
  if (folderUid != null) {
    const folder = anyRequest?.tree.folders.find(({ uid, id }) => uid === folderUid || id === folderUid);
    conditions.push(
      ({ position }) => folder !== undefined && position >= folder.firstRequest && position < folder.endRequest,
    );
  }
  if (method != null && method.length > 0) {
    const methods = new Set(method.map((name) => name.trim().toUpperCase()));
    conditions.push((request) => methods.has(methodOf(definitionOf(request))));
  }
  if (host != null && host !== '') {
    const domain = host.toLowerCase();
    conditions.push((request) => isHostWithin(hostOf(request, revealSecrets), domain));
  }
  if (search != null && search !== '') {
    const searchText = search.toLowerCase();
    conditions.push((request) =>
      searchedTexts(request, revealSecrets).some((text) => {
        onText(text?.length ?? 0);
        return text?.toLowerCase().includes(searchText) === true;
      }),
    );
  }
  return conditions;
}

function isHostWithin(host: string | null, domain: string): boolean {
  return host !== null && (host === domain || host.endsWith(`.${domain}`));
}

function hostOf(request: RequestItem, revealSecrets: boolean): string | null {
  const url = toUrl(definitionOf(request).url, revealSecrets);
  return url === null ? null : urlHost(url).join('.').toLowerCase();
}

function searchedTexts(request: RequestItem, revealSecrets: boolean): readonly (string | null)[] {
  const url = toUrl(definitionOf(request).url, revealSecrets);
  return [itemName(request), url === null ? null : urlRaw(url), itemDescription(request)];
}
