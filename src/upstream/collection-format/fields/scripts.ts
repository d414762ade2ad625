import { isJsonObject, type JsonObject, toText } from '../syntax/json.ts';
import { isEnabled } from '../syntax/rows.ts';

/** A script that runs before a request or after its response. */
export interface Script {
  /** `prerequest` or `test`; empty where Postman sends none. */
  readonly listen: string;
  readonly language: string | null;
  /** The lines, joined by line feeds. */
  readonly source: string;
  readonly enabled: boolean;
}

/**
 * Reads the scripts of events, one each. A script is text or a list of lines, or an object with either in `exec`.
 *
 * @param json - A list of events, or a single one; anything else has no scripts.
 */
function toScripts(json: unknown): Script[] {
  if (json == null) return [];
  const events: readonly unknown[] = Array.isArray(json) ? json : [json];
  return events.filter(isJsonObject).map((event) => {
    const { script } = event;
    const isObject = isJsonObject(script);
    return {
      listen: toText(event.listen) ?? '',
      language: isObject ? toText(script.type) : null,
      source: toSource(isObject ? script.exec : script),
      enabled: isEnabled(event),
    };
  });
}

/** Reads the scripts of a collection, folder or request: `event` or, in some responses, `events`. */
export function scriptsOf(owner: JsonObject): Script[] {
  return toScripts(owner.event ?? owner.events);
}

function toSource(exec: unknown): string {
  const text = Array.isArray(exec) ? exec.map((line) => toText(line) ?? '').join('\n') : (toText(exec) ?? '');
  return text.replaceAll('\r\n', '\n');
}
