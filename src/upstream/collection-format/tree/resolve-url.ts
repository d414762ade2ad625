import {
  createVariableResolver,
  hasReferences,
  type ScopeOf,
  type VariableScope,
} from '../fields/resolve-variables.ts';
import { type Url, urlRaw } from '../fields/url.ts';
import { maskUrlText } from '../masking/mask-url-text.ts';
import { MASKED_TEXT } from '../masking/secrets.ts';
import { splitOutsideReferences } from '../syntax/references.ts';
import { locateAddress, toHostText } from '../syntax/url-text.ts';
import type { RequestItem } from './collection-tree.ts';
import { definersOf } from './item.ts';

/** A URL with its variables replaced. */
export interface ResolvedUrl {
  /** The whole URL. Masked unless secrets are revealed. */
  readonly raw: string;
  /** null if the URL has none, or if a part of it is masked or unresolved. */
  readonly host: string | null;
  /** Names of the variables that are still in the URL, each once; path variables with their colon. */
  readonly unresolved: readonly string[];
  /** Names of the variables whose masked values stand in the URL, each once; path variables with their colon. */
  readonly masked: readonly string[];
  /** Whether it referred to variables, apart from path variables. */
  readonly hadReferences: boolean;
  /** How many characters were read to resolve it, or could have been read in the same time. */
  readonly readLength: number;
}

// Looking for names in one scope takes as long as reading these characters.
const SCOPE_LENGTH = 100;

/** The lists of variables that apply beside those of the collection, as Postman sent them. */
export interface OuterVariables {
  /** Of the environment: these come before all others. */
  readonly environment?: unknown;
  /** Of the workspace: these come last. */
  readonly globals?: unknown;
}

/**
 * Resolves a URL as Postman does before it sends the request: first the path variables, then references to variables of
 * the environment, then of the request, the folders above it, nearest first, and the collection, then of the globals.
 * The Postman app itself stores no variables in requests and folders.
 *
 * @param request - The request that has the URL, also in one of its examples.
 */
export function resolveUrl(
  url: Url,
  request: RequestItem,
  scopeOf: ScopeOf,
  { environment, globals }: OuterVariables = {},
): ResolvedUrl {
  const definers = definersOf(request);
  const scopes: VariableScope[] = [];
  const addScope = (variables: unknown) => {
    if (variables != null) scopes.push(scopeOf(variables));
  };
  addScope(environment);
  for (const { json } of definers) addScope(json.variable ?? json.variables);
  addScope(request.tree.json.variable ?? request.tree.json.variables);
  addScope(globals);
  const resolve = createVariableResolver(scopes);
  // The secrets of the URL are masked before anything is replaced: afterwards, they could stand in another part of it.
  const path = withPathVariables(url, scopeOf);
  const { text, unresolved, masked, readLength } = resolve(path.text);
  const raw = url.revealSecrets ? text : maskUrlText(text);
  const host = toHostText(raw);
  return {
    raw,
    host: host === '' || host.includes(MASKED_TEXT) || hasReferences(host) ? null : host,
    unresolved: path.unresolved.concat(unresolved),
    masked: path.masked.concat(masked),
    hadReferences: hasReferences(path.text),
    readLength: readLength + SCOPE_LENGTH * (definers.length + 1),
  };
}

/** Whether a URL has references to variables in its host or before it, so that its host can depend on them. */
export function hasVariableHost(url: Url): boolean {
  const text = urlRaw(url);
  return hasReferences(text.slice(0, locateAddress(text).authorityEnd));
}

/** A URL without path variables. */
interface Path {
  readonly text: string;
  readonly unresolved: readonly string[];
  readonly masked: readonly string[];
}

/** Returns the text of a URL in which the values of path variables replace `:name` at the start of path segments. */
function withPathVariables(url: Url, scopeOf: ScopeOf): Path {
  const text = urlRaw(url);
  if (!text.includes('/:')) return { text, unresolved: [], masked: [] };
  const values = toPathScope(url, scopeOf);
  const unresolved: string[] = [];
  const masked: string[] = [];
  const replace = (segment: string): string => {
    if (!segment.startsWith(':')) return segment;
    // A name ends at the first dot, as in `:id.json`.
    const dot = segment.indexOf('.');
    const name = segment.slice(1, dot === -1 ? segment.length : dot);
    if (name === '') return segment;
    const value = values.find(name);
    if (!value?.text) {
      unresolved.push(segment.slice(0, name.length + 1));
      return segment;
    }
    if (value.isMasked) masked.push(`:${name}`);
    return value.text + segment.slice(name.length + 1);
  };
  const { authorityEnd, end } = locateAddress(text);
  // The first part is empty: it ends at the slash before the path.
  const path = splitOutsideReferences(text.slice(authorityEnd, end), '/').map(replace).join('/');
  const resolved = text.slice(0, authorityEnd) + path + text.slice(end);
  return { text: resolved, unresolved: toDistinct(unresolved), masked: toDistinct(masked) };
}

const toDistinct = (names: readonly string[]) => (names.length < 2 ? names : [...new Set(names)]);

function toPathScope({ json }: Url, scopeOf: ScopeOf): VariableScope {
  return scopeOf(typeof json === 'string' ? undefined : (json.variable ?? json.variables));
}
