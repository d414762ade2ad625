import type { Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';

type ServerPlugin = Plugin<object, NodeContext>;
type Stage = 'onRequest' | 'onRequestParse' | 'onParams' | 'onExecute' | 'onResultProcess' | 'onResponse';
type Payload<S extends Stage> = Parameters<NonNullable<ServerPlugin[S]>>[0];
/** A hook that returns nothing, or a native promise of nothing. */
type Hook<P> = (payload: P) => unknown;
/** Plugins are written for different contexts, and Yoga's own list of them has no stricter type. */
type AnyPlugin = { readonly [S in Stage]?: unknown };

/**
 * Makes one plugin of several. Its hooks call theirs in order, and each gets what those before it have set. Yoga makes
 * some ten objects for each hook of a request, so that one hook for each stage costs much less than ten.
 *
 * @param plugins - Their hooks return nothing, or native promises of nothing. Hooks of parsing and validation are not
 *   called.
 */
export function combinePlugins(plugins: readonly AnyPlugin[]): ServerPlugin {
  const hooksOf = <S extends Stage>(stage: S) =>
    plugins.flatMap(({ [stage]: hook }) => (hook ? [hook as Hook<Payload<S>>] : []));
  const [request, requestParse, params] = [hooksOf('onRequest'), hooksOf('onRequestParse'), hooksOf('onParams')];
  const [execute, result, response] = [hooksOf('onExecute'), hooksOf('onResultProcess'), hooksOf('onResponse')];
  return {
    onRequest: (payload) => callUntilResponse(request, payload),
    onRequestParse(payload) {
      const { setRequestParser } = payload;
      payload.setRequestParser = (parser) => {
        payload.requestParser = parser;
        setRequestParser(parser);
      };
      return callUntilResponse(requestParse, payload);
    },
    onParams(payload) {
      const { setParams } = payload;
      payload.setParams = (given) => {
        payload.params = given;
        setParams(given);
      };
      return callInOrder(params, payload);
    },
    onExecute(payload) {
      const { setExecuteFn, setResultAndStopExecution } = payload;
      let isStopped = false;
      payload.setExecuteFn = (executeFn) => {
        payload.executeFn = executeFn;
        setExecuteFn(executeFn);
      };
      payload.setResultAndStopExecution = (given) => {
        isStopped = true;
        setResultAndStopExecution(given);
      };
      return callInOrder(execute, payload, () => isStopped);
    },
    onResultProcess(payload) {
      const { setResult, setResultProcessor } = payload;
      payload.setResult = (given) => {
        payload.result = given;
        setResult(given);
      };
      payload.setResultProcessor = (processor, mediaType) => {
        payload.resultProcessor = processor;
        setResultProcessor(processor, mediaType);
      };
      return callInOrder(result, payload);
    },
    onResponse(payload) {
      const { setResponse } = payload;
      payload.setResponse = (given) => {
        payload.response = given;
        setResponse(given);
      };
      return callInOrder(response, payload);
    },
  };
}

/** Calls hooks until one responds to the request. */
function callUntilResponse<P extends { endResponse: (response: Response) => void }>(
  hooks: readonly Hook<P>[],
  payload: P,
): Promise<void> | void {
  const { endResponse } = payload;
  let isEnded = false;
  payload.endResponse = (response) => {
    isEnded = true;
    endResponse(response);
  };
  return callInOrder(hooks, payload, () => isEnded);
}

/** Calls hooks one after another, and waits only for those that return a promise. */
function callInOrder<P>(
  hooks: readonly Hook<P>[],
  payload: P,
  isEnded?: () => boolean,
  first = 0,
): Promise<void> | void {
  for (let index = first; index < hooks.length; index++) {
    const pending = hooks[index]?.(payload);
    if (pending instanceof Promise) {
      return pending.then(() => (isEnded?.() ? undefined : callInOrder(hooks, payload, isEnded, index + 1)));
    }
    if (isEnded?.()) return;
  }
}
