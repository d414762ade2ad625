import { mapMembers } from '../syntax/copy-on-write.ts';
import { isJsonObject, toText, toWritablePart } from '../syntax/json.ts';
import { maskMember, maskRows } from './mask-rows.ts';
import { maskPairs, maskUrlText, maskUserInfo } from './mask-url-text.ts';
import { maskSettings } from './mask-settings.ts';
import { maskVariables } from './mask-variables.ts';
import { splitHost } from '../syntax/url-text.ts';

/** Masks the credentials in a URL (text or an object of parts): in its user info, query, variables, and after `#`. */
export function maskUrl(json: unknown, levels: number): unknown {
  if (typeof json === 'string') return maskUrlText(json);
  if (!isJsonObject(json)) return maskMember('', json, levels);
  return mapMembers(json, levels, maskPart);
}

/** Masks the user info in a host, which is text or a list of its labels. */
export function maskHost(host: unknown): unknown {
  if (typeof host === 'string') return maskUserInfo(host);
  if (!Array.isArray(host)) return host;
  const labels = (host as readonly unknown[]).map((label) => toText(isJsonObject(label) ? label.value : label) ?? '');
  if (!labels.some((label) => label.includes('@'))) return host;
  const whole = labels.join('.');
  const masked = maskUserInfo(whole);
  return masked === whole ? host : splitHost(masked);
}

function maskPart(value: unknown, key: string, levels: number): unknown {
  switch (key) {
    case 'raw':
      return typeof value === 'string' ? maskUrlText(value) : maskMember(key, value, levels);
    case 'host':
      return toWritablePart(maskHost(value), levels);
    case 'path':
    case 'description':
      return toWritablePart(value, levels);
    case 'hash':
      return typeof value === 'string' ? maskPairs(value) : maskMember(key, value, levels);
    case 'query':
      return maskRows(value, levels, maskPairs);
    case 'variable':
    case 'variables':
      return maskVariables(value, levels);
    case 'auth':
      return maskSettings('basic', value, levels);
    default:
      return maskMember(key, value, levels);
  }
}
