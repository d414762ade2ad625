import { mapMembers } from './copy-on-write.ts';
import { isJsonObject, JsonTooDeepError, toWritablePart } from './json.ts';
import { maskMember, maskRows } from './mask-rows.ts';
import { maskPairs } from './mask-url-text.ts';

/** Takes the credentials out of the rows of a body, and out of data in it that is no text. Text is somebody's own, and left as it is. */
export function maskBody(json: unknown, levels: number): unknown {
  if (!isJsonObject(json)) return maskData(json, levels);
  if (levels <= 0) throw new JsonTooDeepError();
  return mapMembers(json, (value, key) => {
    switch (key) {
      case 'urlencoded':
      case 'formdata':
        return maskForm(value, levels - 1);
      case 'graphql':
        return maskGraphQL(value, levels - 1);
      case 'options':
        return toWritablePart(value, levels - 1);
      default:
        return maskData(value, levels - 1);
    }
  });
}

/** Takes the credentials out of a form: rows, `a=1&b=2`, or an object that maps keys to values. */
export function maskForm(json: unknown, levels: number): unknown {
  return maskRows(json, levels, maskPairs);
}

/** Takes the credentials out of a GraphQL body, where its variables are no text. */
export function maskGraphQL(json: unknown, levels: number): unknown {
  if (!isJsonObject(json)) return toWritablePart(json, levels);
  if (levels <= 0) throw new JsonTooDeepError();
  return mapMembers(json, (value) => maskData(value, levels - 1));
}

/** Takes the credentials out of data of no known form; text is left as it is. */
export function maskData(json: unknown, levels: number): unknown {
  return typeof json === 'object' && json !== null ? maskMember('', json, levels) : json;
}
