import { type DocumentNode, type Token, TokenKind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';

// Heap memory of a document per token, besides its text: token, syntax nodes and locations. Comments have no nodes.
const TOKEN_BYTES = 400;
const COMMENT_BYTES = 100;
// A character can take two bytes. The text counts once: the key of the entry and the document share the string.
const BYTES_PER_CHARACTER = 2;
// One document may take a sixteenth of the cache at most.
const MAX_SIZE_DIVISOR = 16;

/**
 * Makes the plugin that caches parsed and valid documents by their text.
 *
 * It replaces Yoga's own caches, which limit the number of entries, not their size, and also cache the errors of
 * invalid documents, which retain the request in which they occurred.
 *
 * @param maxBytes - Heap memory for all documents. One that takes more than a sixteenth of it is parsed each time.
 * @param checks - Plugins whose hooks `onParse` and `onValidate` check a document that is not cached. They return nothing.
 */
export function useParsedDocuments(maxBytes: number, checks: readonly Plugin[] = []): Plugin {
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: maxBytes,
    maxEntrySize: Math.max(1, Math.floor(maxBytes / MAX_SIZE_DIVISOR)),
    sizeCalculation: weigh,
  });
  return {
    onParse(payload) {
      const document = documents.get(payload.params.source.toString());
      if (document) payload.setParsedDocument(document);
      else for (const { onParse } of checks) void onParse?.(payload);
    },
    onValidate(payload) {
      const { documentAST } = payload.params;
      const text = documentAST.loc?.source.body;
      if (text !== undefined && documents.peek(text) === documentAST) {
        payload.setResult([]);
        return undefined;
      }
      for (const { onValidate } of checks) void onValidate?.(payload);
      return ({ valid }) => {
        if (valid && text !== undefined) documents.set(text, documentAST);
      };
    },
  };
}

function weigh({ loc }: DocumentNode, text: string): number {
  let bytes = text.length * BYTES_PER_CHARACTER;
  for (let token: Token | null = loc?.startToken ?? null; token; token = token.next) {
    bytes += token.kind === TokenKind.COMMENT ? COMMENT_BYTES : TOKEN_BYTES;
  }
  return bytes;
}
