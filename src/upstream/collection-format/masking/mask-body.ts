import { mapMembers } from '../syntax/copy-on-write.ts';
import { isJsonObject, toWritablePart } from '../syntax/json.ts';
import { maskMember, maskRows } from './mask-rows.ts';
import { maskPairs } from './mask-url-text.ts';

/** Masks the credentials in the rows of a body and in its structured data. Free text is left unchanged. */
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

/** Masks the credentials in a form: rows, text such as `a=1&b=2`, or an object that maps keys to values. */
export function maskForm(json: unknown, levels: number): unknown {
  return maskRows(json, levels, maskPairs);
}

/** Masks the credentials in a GraphQL body whose variables are an object instead of text. */
export function maskGraphQL(json: unknown, levels: number): unknown {
  if (!isJsonObject(json)) return toWritablePart(json, levels);
  return mapMembers(json, levels, (value, _key, below) => maskData(value, below));
}

/** Masks the credentials in data of unknown structure; text is left unchanged. */
export function maskData(json: unknown, levels: number): unknown {
  return typeof json === 'object' && json !== null ? maskMember('', json, levels) : json;
}
