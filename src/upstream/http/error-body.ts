import { isJsonObject, type JsonObject } from '../collection-format/syntax/json.ts';

/** The contents of an error body, independent of its format. Missing facts are absent. */
export interface ErrorBody {
  /**
   * Postman's error code: `error` as text, `name`, or the last segment of `type`. At most 2,000 characters, not
   * redacted.
   */
  readonly name?: string;
  /** At most 2,000 characters, not redacted. */
  readonly title?: string;
  /** At most 2,000 characters, not redacted. */
  readonly message?: string;
  /** As Postman sent them: an object, a list or text. */
  readonly details?: unknown;
  /** The details name the type of the requested object: the error is about that object, not about the API key. */
  readonly model?: boolean;
}

const MAX_TEXT = 2000;
const MAX_JSON_TEXT = 1_048_576;

/**
 * Reads an error body in any of the formats that the Postman API uses.
 *
 * It tries, in this order: `error` as an object, `error` as text, problem details (`title`, `detail`, `type`) and flat
 * `name` and `message`, then the first member that has a `name` and a `message`.
 *
 * @param body - Parsed JSON, or the text where it could not be parsed. Plain text is the message; markup is ignored.
 * @returns An empty object if nothing was recognised. Never throws.
 */
export function parseErrorBody(body: unknown): ErrorBody {
  if (typeof body === 'string') return parseErrorText(body);
  if (!isJsonObject(body)) return {};
  if (isJsonObject(body['error'])) {
    const inner = readRecord(body['error']);
    if (hasContent(inner)) return inner;
  }
  const flat = readRecord(body);
  const code = textOf(body['error']);
  if (code !== undefined) return { ...flat, name: code };
  if (hasContent(flat)) return flat;
  for (const key of Object.keys(body)) {
    const member = body[key];
    if (!isJsonObject(member)) continue;
    if (textOf(member['name']) !== undefined && textOf(member['message']) !== undefined) return readRecord(member);
  }
  return {};
}

function parseErrorText(text: string): ErrorBody {
  if (text.length > MAX_JSON_TEXT) return {};
  const trimmed = text.trim();
  if (/^[{["]/.test(trimmed)) {
    try {
      const parsed: unknown = JSON.parse(trimmed);
      return typeof parsed === 'string' ? messageOnly(parsed) : parseErrorBody(parsed);
    } catch {
      // Truncated JSON is not a readable message.
      return {};
    }
  }
  return trimmed.startsWith('<') ? {} : messageOnly(trimmed);
}

function messageOnly(text: string): ErrorBody {
  const message = textOf(text);
  return message === undefined ? {} : { message };
}

function readRecord(record: JsonObject): ErrorBody {
  const { detail, details } = record;
  // Some responses nest a whole error in `detail`, and its name is more specific than the type around it.
  const nested = isJsonObject(detail) && isJsonObject(detail['error']) ? detail['error'] : {};
  const name = textOf(record['name']) ?? textOf(nested['name']) ?? lastSegment(textOf(record['type']));
  const title = textOf(record['title']) ?? textOf(record['header']);
  const message = textOf(record['message']) ?? textOf(detail) ?? textOf(nested['message']) ?? textOf(details);
  return {
    ...(name !== undefined && { name }),
    ...(title !== undefined && { title }),
    ...(message !== undefined && { message }),
    ...(details != null && { details }),
    ...(isJsonObject(details) && Object.hasOwn(details, 'model') && { model: true }),
  };
}

function lastSegment(type: string | undefined): string | undefined {
  // Of a URL, only the path can be a code.
  const path = type?.replace(/^\w{1,20}:\/\/[^/?#]*/, '').split(/[?#]/, 1)[0];
  const segments = path?.split(/[/:]/).filter((segment) => segment !== '');
  // `about:blank` is the default type of problem details: no code.
  if (segments === undefined || (segments[0] === 'about' && segments[1] === 'blank')) return undefined;
  return textOf(segments.at(-1));
}

function hasContent(errorBody: ErrorBody): boolean {
  return Object.keys(errorBody).length > 0;
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.slice(0, MAX_TEXT).trim();
  return text === '' ? undefined : text;
}
