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
 * Reads a list of events with one script each: an object with lines or text, or just text or lines.
 *
 * @param json - The list, or a single event; anything else has no scripts.
 */
function toScripts(json: unknown): Script[] {
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
