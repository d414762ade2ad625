import { type Script, scriptsOf } from '../fields/scripts.ts';
import { type Variable, variablesOf } from '../fields/variables.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import type { CollectionItem, RequestItem } from './collection-tree.ts';
import { definersOf } from './item.ts';

/** A variable that applies to a request, and the object that defines it. */
export interface EffectiveVariable {
  readonly variable: Variable;
  /** The request or folder; null for the collection. */
  readonly definedOn: CollectionItem | null;
}

/** A script that runs for a request, and the object that defines it. */
export interface EffectiveScript {
  readonly script: Script;
  /** The request or folder; null for the collection. */
  readonly definedOn: CollectionItem | null;
}

/** An object that defines variables, scripts and settings. `item` null: the collection. */
interface Definer {
  readonly item: CollectionItem | null;
  readonly json: JsonObject;
}

/**
 * Returns the variables of the collection that apply to a request, by name: the request's own, else those of the nearest
 * folder, else the collection's. Disabled ones do not count; of several with one name in a list, the last does.
 *
 * @param onRead - Called with the number of variables that each list has.
 */
export function effectiveVariables(request: RequestItem, onRead: (count: number) => void): EffectiveVariable[] {
  const byName = new Map<string, EffectiveVariable>();
  for (const { item, json } of toDefiners(request)) {
    const variables = variablesOf(json);
    onRead(variables.length);
    if (variables.length === 0) continue;
    const enabled = new Map<string, Variable>();
    for (const variable of variables) if (variable.enabled) enabled.set(variable.key ?? '', variable);
    for (const [name, variable] of enabled) if (!byName.has(name)) byName.set(name, { variable, definedOn: item });
  }
  return [...byName.values()];
}

/**
 * Returns the enabled scripts that run when a request is sent, in the order in which they run: those before the request,
 * then those after the response; each time those of the collection first, then of the folders, outermost first, then of
 * the request. Scripts of other events come last.
 *
 * @param onRead - Called with the number of scripts that each list has.
 */
export function effectiveScripts(request: RequestItem, onRead: (count: number) => void): EffectiveScript[] {
  const scripts: EffectiveScript[] = [];
  for (const { item, json } of toDefiners(request).reverse()) {
    const defined = scriptsOf(json);
    onRead(defined.length);
    for (const script of defined) if (script.enabled) scripts.push({ script, definedOn: item });
  }
  if (scripts.length < 2) return scripts;
  const rank = ({ script }: EffectiveScript) => RUN_ORDER.indexOf(script.listen) + 1 || RUN_ORDER.length + 1;
  return scripts.sort((one, other) => rank(one) - rank(other));
}

const RUN_ORDER = ['prerequest', 'test'];

/**
 * Returns the settings with which a request is sent, as Postman sent them: each from the request, else from the nearest
 * folder that has it, else from the collection. null where none has any.
 *
 * @param onRead - Called with the number of settings that each object has.
 */
export function effectiveSettings(request: RequestItem, onRead: (count: number) => void): JsonObject | null {
  let settings: Map<string, unknown> | undefined;
  for (const { json } of toDefiners(request)) {
    const defined = isJsonObject(json.protocolProfileBehavior) ? Object.entries(json.protocolProfileBehavior) : [];
    onRead(defined.length);
    for (const [name, value] of defined) {
      settings ??= new Map();
      if (!settings.has(name)) settings.set(name, value);
    }
  }
  return settings ? Object.fromEntries(settings) : null;
}

/** Nearest first. */
function toDefiners(request: RequestItem): Definer[] {
  const definers: Definer[] = definersOf(request).map((item) => ({ item, json: item.json }));
  definers.push({ item: null, json: request.tree.json });
  return definers;
}
