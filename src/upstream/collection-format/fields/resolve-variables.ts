import { JsonTooDeepError, toText } from '../syntax/json.ts';
import { MASKED_TEXT } from '../masking/secrets.ts';
import { toShownVariable, toVariables, type Variable } from './variables.ts';

/** Variables by name: those of an environment, a collection, a folder, a request, or the globals of a workspace. */
export interface VariableScope {
  /**
   * Returns the variable that Postman takes for a name: the last enabled one. undefined: there is none.
   *
   * @param name - Case-sensitive, without braces.
   */
  find(name: string): ScopedValue | undefined;
}

/** The value of a variable, as it replaces references. */
export interface ScopedValue {
  /** `MASKED_TEXT` if the whole value is masked. null: the variable has no value, so references to it stay. */
  readonly text: string | null;
  /** The value, or a part of it, was masked. */
  readonly isMasked: boolean;
}

/** Text with its references replaced. */
export interface ResolvedText {
  readonly text: string;
  /** Names of the references that are still in the text, each once, in order. */
  readonly unresolved: readonly string[];
  /** Names of the variables whose masked values stand in the text, each once. */
  readonly masked: readonly string[];
  /** How many characters of the text and of values were read: how long it took. */
  readonly readLength: number;
}

/** How deep values are resolved at once, and how often a text is searched for references. Postman searches as often. */
const MAX_DEPTH = 19;
/** How many characters of values are read to resolve one text: it bounds the time, and the length of the result. */
export const MAX_VALUE_LENGTH = 32_768;
/** As in Postman, a name has no braces: of nested references, the innermost is replaced first. */
const REFERENCE = /\{\{([^{}]*)\}\}/g;

/** Returns the scope of a list of variables, in any form that `toVariables` accepts. */
export type ScopeOf = (variables: unknown) => VariableScope;

/**
 * Makes a function that returns scopes. It reads each list once, on first use.
 *
 * @param revealSecrets - Whether secrets are used in clear.
 */
export function createScopes(revealSecrets: boolean): ScopeOf {
  const known = new WeakMap<object, VariableScope>();
  return (variables) => {
    if (typeof variables !== 'object' || variables === null) return EMPTY;
    let scope = known.get(variables);
    if (!scope) {
      scope = createScope(variables, revealSecrets);
      known.set(variables, scope);
    }
    return scope;
  };
}

const EMPTY: VariableScope = { find: () => undefined };

function createScope(json: object, revealSecrets: boolean): VariableScope {
  let byName: Map<string, { readonly variable: Variable; value?: ScopedValue }> | undefined;
  const index = () => {
    const entries: NonNullable<typeof byName> = new Map();
    for (const variable of toVariables(json)) if (variable.enabled) entries.set(variable.key ?? '', { variable });
    return entries;
  };
  return {
    find(name) {
      byName ??= index();
      const entry = byName.get(name);
      return entry && (entry.value ??= toScopedValue(entry.variable, revealSecrets));
    },
  };
}

/**
 * Makes a function that replaces `{{name}}` by the value of the variable, and the references in that value likewise.
 *
 * These references stay: to unknown variables (also Postman's dynamic ones, such as `{{$guid}}`), to variables without
 * a value, to variables that refer to themselves, and those that would need more than `MAX_VALUE_LENGTH` characters of
 * values. The result is at most that much longer than the text. Masked values are not revealed: the mask replaces the
 * reference.
 *
 * @param scopes - The first scope that has a variable wins. Postman's order is: environment, collection, globals.
 */
export function createVariableResolver(scopes: readonly VariableScope[]): (text: string) => ResolvedText {
  const find = (name: string): ScopedValue | undefined => {
    for (const scope of scopes) {
      const value = scope.find(name);
      if (value) return value;
    }
    return undefined;
  };

  return (text) => {
    if (!mayHaveReferences(text)) return { text, unresolved: [], masked: [], readLength: text.length + 1 };
    const masked: string[] = [];
    // The variables whose values are being resolved, outermost first.
    const open: string[] = [];
    let left = text.length + MAX_VALUE_LENGTH;

    /** Also returns the position in `open` of the outermost variable that the text refers back to. */
    const resolve = (unresolved: string): { readonly text: string; readonly refersTo: number } => {
      let refersTo = Number.POSITIVE_INFINITY;
      const replace = (reference: string, name: string): string => {
        const position = open.indexOf(name);
        if (position !== -1) {
          refersTo = Math.min(refersTo, position);
          return reference;
        }
        const value = find(name);
        if (typeof value?.text !== 'string' || open.length === MAX_DEPTH || left < value.text.length) return reference;
        const maskedBefore = masked.length;
        open.push(name);
        const inner = resolve(value.text);
        open.pop();
        refersTo = Math.min(refersTo, inner.refersTo);
        if (inner.refersTo <= open.length) {
          masked.length = maskedBefore;
          return reference;
        }
        if (value.isMasked) masked.push(name);
        return inner.text;
      };
      let resolved = unresolved;
      // A value can complete a name: `{{host{{number}}}}`.
      for (let pass = 0; pass < MAX_DEPTH && resolved.length <= left; pass += 1) {
        // Counts at least one character, so that empty values end as well.
        left -= resolved.length + 1;
        if (!mayHaveReferences(resolved)) break;
        const before = resolved;
        resolved = before.replaceAll(REFERENCE, replace);
        if (resolved === before) break;
      }
      return { text: resolved, refersTo };
    };

    const resolved = resolve(text).text;
    return {
      text: resolved,
      unresolved: referencesIn(resolved),
      masked: masked.length === 0 ? masked : [...new Set(masked)],
      readLength: text.length + MAX_VALUE_LENGTH - left,
    };
  };
}

/** Whether a text has references to variables. */
export function hasReferences(text: string): boolean {
  return mayHaveReferences(text) && text.search(REFERENCE) !== -1;
}

/** A cheap first check. */
const mayHaveReferences = (text: string) => text.includes('{{');

/** Returns the names in the references of a text, each once. */
function referencesIn(text: string): string[] {
  if (!mayHaveReferences(text)) return [];
  return [...new Set(Array.from(text.matchAll(REFERENCE), ([, name = '']) => name))];
}

function toScopedValue(variable: Variable, revealSecrets: boolean): ScopedValue {
  try {
    const { value, isMasked } = toShownVariable(variable, revealSecrets);
    return { text: value === null && isMasked ? MASKED_TEXT : toText(value), isMasked };
  } catch (error) {
    if (!(error instanceof JsonTooDeepError)) throw error;
    return { text: null, isMasked: false };
  }
}
