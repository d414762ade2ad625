import { type DocumentNode, type Token, TokenKind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';

// What a document holds beside its text: tokens, syntax nodes and their places, for each token; comments have no nodes.
const TOKEN_BYTES = 400;
const COMMENT_BYTES = 100;
// A text can be two bytes a character, and the caller's copy of it is the key.
const BYTES_PER_CHARACTER = 2;
// So that no document takes the place of all others.
const LARGEST_PART = 16;

/**
 * Makes the plugin that caches documents which have been parsed and found valid, for whoever sends the same text again.
 *
 * It takes the place of Yoga's own caches. Those count entries, whatever their size, and also keep what is wrong with a document: errors, which
 * hold on to the request in which they were made.
 *
 * @param maxBytes - Over all documents, on the heap. One that would take more than a sixteenth of it is parsed each time.
 */
export function useParsedDocuments(maxBytes: number): Plugin {
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: maxBytes,
    maxEntrySize: Math.max(1, Math.floor(maxBytes / LARGEST_PART)),
    sizeCalculation: weigh,
  });
  return {
    onParse({ params: { source }, setParsedDocument }) {
      const document = documents.get(source.toString());
      if (document) setParsedDocument(document);
    },
    onValidate({ params: { documentAST }, setResult }) {
      const text = documentAST.loc?.source.body;
      if (text === undefined) return undefined;
      if (documents.peek(text) === documentAST) {
        setResult([]);
        return undefined;
      }
      return ({ valid }) => {
        if (valid) documents.set(text, documentAST);
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
