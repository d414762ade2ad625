import { JsonTooDeepError, toText } from '../syntax/json.ts';
import { toShownVariable, type Variable } from './variables.ts';

/** How two lists of variables compare in one variable. `notCompared`: as GraphQL `NOT_COMPARED`. */
export type ComparisonState = 'equal' | 'different' | 'notCompared' | 'onlyLeft' | 'onlyRight';

/** One variable of either list, or a pair of variables with the same key. At least one side is not null. */
export interface ComparedVariable {
  readonly key: string | null;
  readonly left: Variable | null;
  readonly right: Variable | null;
  readonly state: ComparisonState;
  /** null: one side is missing, or the values are not compared. */
  readonly isValueEqual: boolean | null;
}

/**
 * Compares two lists of variables by key. If a key occurs several times, the first one on the left is paired with the
 * first one on the right, and so on; variables without a key are paired in the same way.
 *
 * @returns The variables in the order of the left list, then those that only the right list has.
 */
export function compareVariables(
  left: readonly Variable[],
  right: readonly Variable[],
  revealSecrets: boolean,
): readonly ComparedVariable[] {
  const rightByKey = new Map<string | null, Variable[]>();
  for (const variable of [...right].reverse()) {
    const ofKey = rightByKey.get(variable.key);
    if (ofKey) ofKey.push(variable);
    else rightByKey.set(variable.key, [variable]);
  }
  const paired = new Set<Variable>();
  const rows = left.map((variable): ComparedVariable => {
    const { key } = variable;
    const other = rightByKey.get(key)?.pop();
    if (!other) return { key, left: variable, right: null, state: 'onlyLeft', isValueEqual: null };
    paired.add(other);
    return compare(variable, other, revealSecrets);
  });
  const onlyRight = right
    .filter((variable) => !paired.has(variable))
    .map((variable): ComparedVariable => {
      const { key } = variable;
      return { key, left: null, right: variable, state: 'onlyRight', isValueEqual: null };
    });
  return [...rows, ...onlyRight];
}

function compare(left: Variable, right: Variable, revealSecrets: boolean): ComparedVariable {
  const isValueEqual = hasEqualValue(left, right, revealSecrets);
  const state =
    isValueEqual === false || left.enabled !== right.enabled
      ? 'different'
      : isValueEqual === null
        ? 'notCompared'
        : 'equal';
  return { key: left.key, left, right, state, isValueEqual };
}

/**
 * Compares the values of two variables as text, masked or not. The values stay in memory, so a hash of them would hide
 * nothing more.
 *
 * @returns null if a value is unknown, or if the result would reveal more of a masked value than that.
 */
function hasEqualValue(left: Variable, right: Variable, revealSecrets: boolean): boolean | null {
  const ofLeft = maskingOf(left, revealSecrets);
  const ofRight = maskingOf(right, revealSecrets);
  if (ofLeft === 'unknown' || ofRight === 'unknown') return null;
  if (ofLeft === ofRight) return toText(left.value) === toText(right.value);
  // A value that would be shown even if it were the secret's, such as an empty one, is not the masked one.
  const [shown, masked] = ofLeft === 'none' ? [left, right] : [right, left];
  const isShown = ofLeft === 'none' || ofRight === 'none';
  if (isShown && maskingOf({ ...masked, value: shown.value }, revealSecrets) === 'none') return false;
  // If they were equal, the side that shows more would reveal the other one.
  return null;
}

/** How much of a value is masked. `unknown`: Postman does not send it, or it is nested too deep. */
type Masking = 'none' | 'part' | 'whole' | 'unknown';

function maskingOf(variable: Variable, revealSecrets: boolean): Masking {
  // Postman does not send secrets that a vault stores.
  if (variable.isSecret && variable.value === null) return 'unknown';
  try {
    const { value, isMasked } = toShownVariable(variable, revealSecrets);
    return isMasked ? (value === null ? 'whole' : 'part') : 'none';
  } catch (error) {
    if (error instanceof JsonTooDeepError) return 'unknown';
    throw error;
  }
}
