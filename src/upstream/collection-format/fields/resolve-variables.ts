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
}

/** How deep values are resolved at once, and how often a text is searched for references. Postman searches as often. */
const MAX_DEPTH = 19;
/** How many characters of values are read to resolve one text: it bounds the time, and the length of the result. */
export const MAX_VALUE_LENGTH = 32_768;
/** As in Postman, a name has no braces: of nested references, the innermost is replaced first. */
const REFERENCE = /\{\{([^{}]*)\}\}/g;

/**
 * Makes a scope of a list of variables. It reads the list on first use.
 *
 * @param json - In any form that `toVariables` accepts.
 * @param revealSecrets - Whether secrets are used in clear.
 */
export function createVariableScope(json: unknown, revealSecrets: boolean): VariableScope {
  let byName: Map<string, Variable> | undefined;
  const values = new Map<string, ScopedValue>();
  return {
    find(name) {
      byName ??= new Map(toVariables(json).flatMap((one) => (one.enabled ? [[one.key ?? '', one] as const] : [])));
      const variable = byName.get(name);
      if (!variable) return undefined;
      const value = values.get(name) ?? toScopedValue(variable, revealSecrets);
      values.set(name, value);
      return value;
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
        const before = resolved;
        resolved = before.replaceAll(REFERENCE, replace);
        if (resolved === before) break;
      }
      return { text: resolved, refersTo };
    };

    const resolved = resolve(text).text;
    return { text: resolved, unresolved: referencesIn(resolved), masked: [...new Set(masked)] };
  };
}

/** Whether a text has references to variables. */
export function hasReferences(text: string): boolean {
  return text.search(REFERENCE) !== -1;
}

/** Returns the names in the references of a text, each once. */
function referencesIn(text: string): string[] {
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
