/** A GraphQL response, or a part of one. */
export interface Payload {
  readonly data?: unknown;
  readonly errors?: readonly unknown[];
  readonly incremental?: readonly {
    readonly items?: readonly unknown[] | null;
    readonly errors?: readonly unknown[];
  }[];
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly hasNext?: boolean;
}

/** Reads the body of a response piece by piece. */
export interface PayloadReader {
  /** Whether the response comes in parts. */
  readonly isInParts: boolean;
  /** Takes the next piece of text, and returns the payloads that it completes. */
  read(text: string): readonly Payload[];
  /** Returns the payloads that are complete only because the body has ended. */
  end(): readonly Payload[];
}

/**
 * Makes a reader of a response body: JSON, or `multipart/mixed` with a payload in each part. A body that is neither
 * has no payloads.
 */
export function createPayloadReader(contentType: string): PayloadReader {
  const boundary = /^multipart\/[^;]+;.*?boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(contentType);
  if (!boundary) {
    let body = '';
    return {
      isInParts: false,
      read(text) {
        body += text;
        return [];
      },
      end: () => parse(body),
    };
  }
  // Raw line breaks cannot occur inside JSON in one line, so a delimiter cannot be part of a payload.
  const delimiter = `\r\n--${boundary[1] ?? boundary[2] ?? ''}`;
  let rest = '\r\n';
  return {
    isInParts: true,
    read(text) {
      const sections = (rest + text).split(delimiter);
      rest = sections.pop() ?? '';
      return sections.flatMap((section) => parse(section.slice(section.indexOf('\r\n\r\n') + 1)));
    },
    end: () => [],
  };
}

function parse(text: string): readonly Payload[] {
  if (text.trim() === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? [value] : [];
  } catch {
    return [];
  }
}
