import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesPlugin } from '@escape.tech/graphql-armor-max-directives';
import { parse } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Config } from '../config.ts';

// No real query comes near it, and validation time grows with their square.
const MAX_DIRECTIVES = 50;

/**
 * Makes the plugins that bound a query before anything of it is executed, cheapest first: tokens while parsing, then depth,
 * aliases and directives. A fragment counts where it is spread; each is walked once.
 */
export function queryLimits({ maxTokens, maxDepth, maxAliases }: Config['query']): Plugin[] {
  const limitTokens: Plugin = {
    onParse({ setParseFn }) {
      setParseFn((source, options) => parse(source, { ...options, maxTokens }));
    },
  };
  return [
    limitTokens,
    maxDepthPlugin({ n: maxDepth, flattenFragments: true }),
    maxAliasesPlugin({ n: maxAliases, allowList: [] }),
    maxDirectivesPlugin({ n: MAX_DIRECTIVES }),
  ];
}
