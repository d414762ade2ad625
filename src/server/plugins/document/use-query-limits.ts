import { type ASTNode, GraphQLError, Kind, parse, print, validate, type ValidationRule } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import type { Config } from '../../../config/config.ts';
import { createSelectionCount } from '../../../graph/limits/count-selections.ts';
import { mayComeInParts } from '../../../graph/paging/incremental-directives.ts';
import { createOperationLimits, type OperationLimits } from '../../../graph/limits/operation-limits.ts';

// No real query comes near this number, and the time of validation grows with its square.
const MAX_DIRECTIVES = 50;
// The executor awaits all parts at once, which costs time in the square of their number.
const MAX_PARTS = 100;
// A result repeats them: each value has its alias, each error the aliases on its path, each part its label. A long one
// could be written a million times.
const MAX_NAME_LENGTH = 100;
// Comments and white space are no tokens, but each error reads all text before it to find its line.
const CHARACTERS_PER_TOKEN = 50;
const LINES_PER_TOKEN = 5;

/**
 * Creates the plugins that limit a query before any of it is executed. The cheapest check comes first: tokens while
 * parsing, then depth, aliases and directives. A fragment counts wherever it is spread, but each check traverses it
 * only once. In production no error suggests names.
 */
export function queryLimits({ query, isProduction }: Pick<Config, 'query' | 'isProduction'>): Plugin[] {
  const { maxTokens, maxDepth, maxAliases } = query;
  const limitTokens: Plugin = {
    onParse({ setParseFn }) {
      setParseFn((source, options) => {
        refuseLongText(typeof source === 'string' ? source : source.body, maxTokens);
        try {
          return parse(source, { ...options, maxTokens });
        } catch (error) {
          // The parser recurses, and the limit of tokens does not keep it from overflowing the stack.
          if (error instanceof RangeError) throw new GraphQLError('Syntax Error: The document is nested too deeply.');
          // The message of GraphQL does not name the variable that the operator can raise.
          if (error instanceof GraphQLError && /\d tokens\b/.test(error.message)) throw tooLong(`${maxTokens} tokens`);
          throw error;
        }
      });
    },
  };
  const operationLimits = createOperationLimits({ maxDepth, maxAliases, maxDirectives: MAX_DIRECTIVES }, refuse);
  const addServerRules: Plugin = {
    onValidate({ addValidationRule, setValidationFn }) {
      for (const rule of [operationLimits, ...serverRules]) addValidationRule(rule);
      if (isProduction) {
        setValidationFn((schema, document, rules) => validate(schema, document, rules, { hideSuggestions: true }));
      }
    },
  };
  return [limitTokens, addServerRules, streamRules()];
}

/** @throws {GraphQLError} For a document that is mostly comments or white space. */
function refuseLongText(text: string, maxTokens: number): void {
  const maxLength = maxTokens * CHARACTERS_PER_TOKEN;
  if (text.length > maxLength) throw tooLong(`${maxLength} characters`);
  const maxLines = maxTokens * LINES_PER_TOKEN;
  if (text.split(/\r\n|[\n\r]/, maxLines + 1).length > maxLines) throw tooLong(`${maxLines} lines`);
}

const tooLong = (limit: string) =>
  new GraphQLError(`Syntax Error: The document has more than ${limit}. The operator can raise MAX_QUERY_TOKENS.`);

/**
 * The rules of `@defer` and `@stream`, except the one that replaces GraphQL's own rule for overlapping fields. That one
 * is an older form of it, without a bound, and takes five times as long. What it adds is checked by `equalStreams`.
 */
function streamRules(): Plugin {
  const { onValidate } = useDeferStream();
  return {
    onValidate(payload) {
      void onValidate?.({
        ...payload,
        addValidationRule(rule) {
          if (rule.name !== 'OverlappingFieldsCanBeMergedRule') payload.addValidationRule(rule);
        },
      });
    },
  };
}

/**
 * Ends the validation of a query over a limit, and with it the cost of that query.
 *
 * @throws {GraphQLError} With the code and status of every other invalid query.
 */
function refuse(message: string, limit: keyof OperationLimits): never {
  const variable = { maxDepth: 'MAX_QUERY_DEPTH', maxAliases: 'MAX_QUERY_ALIASES', maxDirectives: undefined }[limit];
  throw new GraphQLError(variable ? `${message} The operator can raise ${variable}.` : message, {
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED', http: { spec: true, status: 400 } },
  });
}

/**
 * Refuses operations of a type that the schema does not have. GraphQL 16 refuses them only when it executes them: too
 * late for the status of an invalid query.
 */
const knownOperations: ValidationRule = (context) => ({
  OperationDefinition(node) {
    if (context.getSchema().getRootType(node.operation)) return;
    context.reportError(
      new GraphQLError(`This server only reads: it has no ${node.operation} operations.`, { nodes: node }),
    );
  },
});

const shortNames: ValidationRule = (context) => {
  const check = (what: string, { length }: string, node: ASTNode) => {
    if (length <= MAX_NAME_LENGTH) return;
    const message = `The ${what} has ${length} characters; it may have ${MAX_NAME_LENGTH}.`;
    context.reportError(new GraphQLError(message, { nodes: node }));
  };
  return {
    Field({ alias }) {
      if (alias) check('alias', alias.value, alias);
    },
    Directive({ arguments: args = [] }) {
      for (const { name, value } of args) {
        if (name.value === 'label' && value.kind === Kind.STRING) check('label', value.value, value);
      }
    },
  };
};

/**
 * Limits the parts of a response. A part inside a list counts once here; the execution delivers one for each item. A
 * fragment counts wherever it is spread.
 */
const fewParts: ValidationRule = (context) => {
  const partsIn = createSelectionCount(
    (node) => (mayComeInParts(node) ? 1 : 0),
    (name) => context.getFragment(name),
  );
  return {
    OperationDefinition(node) {
      if (partsIn(node.selectionSet.selections) <= MAX_PARTS) return;
      const message =
        `The operation is delivered in more than ${MAX_PARTS} parts, without the items of lists. ` +
        'Defer or stream less of it.';
      context.reportError(new GraphQLError(message, { nodes: node }));
    },
  };
};

/** Refuses fields of one response key with different `@stream`s: the executor would apply only the first. */
const equalStreams: ValidationRule = (context) => ({
  SelectionSet({ selections }) {
    const streamByKey = new Map<string, string>();
    for (const field of selections) {
      if (field.kind !== Kind.FIELD) continue;
      const { value: responseKey } = field.alias ?? field.name;
      const directive = field.directives?.find((one) => one.name.value === 'stream');
      const text = directive ? print(directive) : '';
      if ((streamByKey.get(responseKey) ?? text) !== text) {
        const message =
          `Fields "${responseKey}" conflict because they have differing stream directives. ` +
          'Use different aliases on the fields to fetch both if this was intentional.';
        context.reportError(new GraphQLError(message, { nodes: field }));
      }
      streamByKey.set(responseKey, text);
    }
  },
});

/** Refuses a negative or null `initialCount`. The executor would report it too late, and as an error of the server. */
const possibleCounts: ValidationRule = (context) => ({
  Directive({ name: { value: directive }, arguments: args = [] }) {
    const count = args.find(({ name }) => directive === 'stream' && name.value === 'initialCount')?.value;
    if (count?.kind !== Kind.NULL && !(count?.kind === Kind.INT && Number(count.value) < 0)) return;
    context.reportError(new GraphQLError('The initialCount of a @stream is 0 or more.', { nodes: count }));
  },
});

/** Rules of this server for documents, besides those of GraphQL. */
export const serverRules: readonly ValidationRule[] = [
  knownOperations,
  shortNames,
  fewParts,
  equalStreams,
  possibleCounts,
];
