import { mapMembers } from '../syntax/copy-on-write.ts';
import { isJsonObject, toWritablePart } from '../syntax/json.ts';
import { maskMember, maskRows } from './mask-rows.ts';
import { maskPairs } from './mask-url-text.ts';

/** Takes the credentials out of the rows of a body, and out of data in it that is no text. Text is somebody's own, and left as it is. */
export function maskBody(json: unknown, levels: number): unknown {
  if (!isJsonObject(json)) return maskData(json, levels);
  return mapMembers(json, levels, (value, key, below) => {
    switch (key) {
      case 'urlencoded':
      case 'formdata':
        return maskForm(value, below);
      case 'graphql':
        return maskGraphQL(value, below);
      case 'options':
        return toWritablePart(value, below);
      default:
        return maskData(value, below);
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
  return mapMembers(json, levels, (value, _key, below) => maskData(value, below));
}

/** Takes the credentials out of data of no known form; text is left as it is. */
export function maskData(json: unknown, levels: number): unknown {
  return typeof json === 'object' && json !== null ? maskMember('', json, levels) : json;
}
