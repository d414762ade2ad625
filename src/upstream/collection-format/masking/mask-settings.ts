import { mapElements, mapMembers } from '../syntax/copy-on-write.ts';
import { isJsonObject, type JsonObject, toList, toName, toWritablePart } from '../syntax/json.ts';
import { maskRowText } from './mask-url-text.ts';
import { isRow } from '../syntax/rows.ts';
import { isSecretValue, toPlainName } from './secrets.ts';

/** The plain names of the settings that are shown, by auth type. All others, and those of other types, are masked. */
const SHOWN_SETTINGS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    apikey: 'key in',
    asap: 'alg kid iss exp aud sub claims',
    awsv4: 'region service addAuthDataToQuery',
    basic: 'username user',
    bearer: '',
    digest: 'username realm nonce algorithm qop nonceCount clientNonce opaque disableRetryRequest',
    edgegrid: 'baseURL nonce timestamp headersToSign maxBodySize',
    hawk: 'authId algorithm user nonce extraData app delegation timestamp includePayloadHash',
    jwt: 'algorithm header payload isSecretBase64Encoded addTokenTo headerPrefix queryParamKey',
    noauth: '',
    ntlm: 'username domain workstation',
    oauth1: [
      'consumerKey signatureMethod callback timestamp nonce version realm includeBodyHash addParamsToHeader',
      'addEmptyParamsToSign disableHeaderEncoding',
    ].join(' '),
    oauth2: [
      'addTokenTo tokenType headerPrefix accessTokenUrl authUrl refreshTokenUrl tokenName clientId scope state',
      'username grant_type redirect_uri callbackUrl useBrowser client_authentication challengeAlgorithm audience',
      'resource tokenRequestParams authRequestParams refreshRequestParams',
    ].join(' '),
  }).map(([type, names]) => [type, new Set(names.split(' ').filter(Boolean).map(toPlainName))]),
);
const NO_SETTINGS: ReadonlySet<string> = new Set();
/** The members of a setting's row that are shown, besides its value. */
const SHOWN_MEMBERS = new Set('key name type description enabled disabled system send_as'.split(' '));

/** Masks the credentials in an auth block, in the settings of every type that it has. */
export function maskAuth(json: unknown, levels: number): unknown {
  if (!isJsonObject(json)) return isSecretValue(json) ? null : json;
  return mapMembers(json, levels, (value, key, below) =>
    key === 'type' && typeof value === 'string' ? value : maskSettings(key, value, below),
  );
}

/** Masks the credentials in the settings of an auth type, which are a list of rows or a map. */
export function maskSettings(type: string, json: unknown, levels: number): unknown {
  if (typeof json !== 'object' || json === null) return isSecretValue(json) ? null : json;
  if (!isJsonObject(json))
    return mapElements(toList(json), levels, (row, below) =>
      isJsonObject(row) ? maskSettingRow(type, row, below) : maskSettings(type, row, below),
    );
  // The settings of an API key are named `key` and `value`, so the map looks like a row.
  return type !== 'apikey' && isRow(json) ? maskSettingRow(type, json, levels) : maskMap(type, json, levels);
}

/**
 * Masks the value of a setting: it becomes null if the auth type does not show the setting. Settings inside a list or
 * object that is shown are masked likewise.
 *
 * @returns The very same value if nothing in it is masked.
 * @throws {JsonTooDeepError} For a value nested deeper than `levels`.
 */
export function maskSetting(type: string, key: string, value: unknown, levels: number): unknown {
  if (!isShown(type, key)) return isSecretValue(value) ? null : value;
  return maskShown(type, value, levels);
}

function isShown(type: string, key: string): boolean {
  return (SHOWN_SETTINGS.get(type) ?? NO_SETTINGS).has(toPlainName(key));
}

/** Masks the credentials inside a setting that is shown. */
function maskShown(type: string, json: unknown, levels: number): unknown {
  if (typeof json === 'string') return maskRowText('', json);
  if (typeof json !== 'object' || json === null) return json;
  if (!isJsonObject(json))
    return mapElements(toList(json), levels, (element, below) => maskShown(type, element, below));
  return isRow(json) ? maskSettingRow(type, json, levels) : maskMap(type, json, levels);
}

function maskMap(type: string, map: JsonObject, levels: number): JsonObject {
  return mapMembers(map, levels, (value, key, below) => maskSetting(type, key, value, below));
}

function maskSettingRow(type: string, row: JsonObject, levels: number): JsonObject {
  return mapMembers(row, levels, (value, name, below) => {
    if (name === 'value') return maskSetting(type, toName(row.key) ?? '', value, below);
    return SHOWN_MEMBERS.has(name) || !isSecretValue(value) ? toWritablePart(value, below) : null;
  });
}
