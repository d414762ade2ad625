import type { Steps } from '../../steps.ts';
import type { RequestItem } from './collection-tree.ts';
import { definitionOf, itemDescription, itemName } from './item.ts';
import { methodOf } from '../fields/request-definition.ts';
import { createScopes, type ScopeOf } from '../fields/resolve-variables.ts';
import { toUrl, urlHost, urlRaw } from '../fields/url.ts';
import { hasVariableHost, resolveUrl } from './resolve-url.ts';

/** Conditions on requests; null and missing ones match every request. */
export interface RequestFilter {
  /** Text in the name, the URL or the description, case-insensitive; empty text matches every request. */
  readonly search?: string | null | undefined;
  /** Any of these methods, case-insensitive; an empty list matches every request. */
  readonly method?: readonly string[] | null | undefined;
  /**
   * The host or a parent domain of it, case-insensitive; empty text matches every request. The host is matched as
   * written, and with the variables that apply to the request. A masked host matches nothing.
   */
  readonly host?: string | null | undefined;
  /** Uid or id of a folder: matches the requests below it. */
  readonly folderUid?: string | null | undefined;
}

/** How to search. */
export interface SearchOptions {
  /** Called with the length of each text before or after it is read. */
  readonly onText?: (length: number) => void;
  /**
   * Whether `search` and `host` find credentials. Where they are masked, these must not: a match would reveal them.
   * Default: false.
   */
  readonly revealSecrets?: boolean;
  /** Returns scopes that mask secrets unless they are revealed. Default: new ones. */
  readonly scopeOf?: ScopeOf;
  /** The variables of environments, as Postman sent them: a host also matches if it matches in one of these. */
  readonly environments?: readonly unknown[];
}

type Condition = (request: RequestItem) => boolean;

// Searching these takes a third of a millisecond.
const REQUESTS_PER_STEP = 100;
// So does reading these characters.
const CHARACTERS_PER_STEP = 100_000;

/**
 * Returns the requests that match every condition, in order. It yields after every 100 requests, or after as much work.
 */
export function* findRequests(
  requests: readonly RequestItem[],
  filter: RequestFilter | null | undefined,
  { onText = () => {}, revealSecrets = false, scopeOf, environments = [] }: SearchOptions = {},
): Steps<readonly RequestItem[]> {
  let visited = 0;
  let readLength = 0;
  const conditions = toConditions(filter ?? {}, requests[0], {
    onText(length) {
      readLength += length;
      onText(length);
    },
    revealSecrets,
    scopeOf: scopeOf ?? createScopes(revealSecrets),
    environments,
  });
  if (conditions.length === 0) return requests;
  const found: RequestItem[] = [];
  for (const request of requests) {
    visited += 1;
    if (visited % REQUESTS_PER_STEP === 0 || readLength > CHARACTERS_PER_STEP) {
      readLength = 0;
      yield;
    }
    if (conditions.every((matches) => matches(request))) found.push(request);
  }
  return found;
}

function toConditions(
  { search, method, host, folderUid }: RequestFilter,
  anyRequest: RequestItem | undefined,
  options: Required<SearchOptions>,
): Condition[] {
  const { onText, revealSecrets } = options;
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
    conditions.push((request) => hostsOf(request, options).some((one) => isHostWithin(one.toLowerCase(), domain)));
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

function isHostWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

/** Returns the host of a request as written and, if its URL has variables, without and in each environment. */
function hostsOf(
  request: RequestItem,
  { onText, revealSecrets, scopeOf, environments }: Required<SearchOptions>,
): readonly string[] {
  const url = toUrl(definitionOf(request).url, revealSecrets);
  if (url === null) return [];
  const written = urlHost(url).join('.');
  if (!hasVariableHost(url)) return [written];
  const resolved = [undefined, ...environments].map((environment) => {
    const { host, readLength } = resolveUrl(url, request, scopeOf, { environment });
    onText(readLength);
    return host ?? [];
  });
  return [written, ...resolved].flat();
}

/** Whether the host of a request can depend on variables. */
export function dependsOnVariables(request: RequestItem): boolean {
  const url = toUrl(definitionOf(request).url);
  return url !== null && hasVariableHost(url);
}

function searchedTexts(request: RequestItem, revealSecrets: boolean): readonly (string | null)[] {
  const url = toUrl(definitionOf(request).url, revealSecrets);
  return [itemName(request), url === null ? null : urlRaw(url), itemDescription(request)];
}
