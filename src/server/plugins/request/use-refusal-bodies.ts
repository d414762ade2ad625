import type { Plugin } from 'graphql-yoga';
import { responseTypes, toRefusalResponse } from '../../http/refusal.ts';
import { addVary } from '../../http/vary.ts';

/** What the libraries beneath refuse with an empty body, by status. */
const REASONS: Readonly<Record<number, string>> = {
  404: 'There is nothing at this path.',
  406:
    `This response can be sent as ${responseTypes.join(' or ')}, and one in parts as multipart/mixed or ` +
    'text/event-stream. Accept one of them.',
  415: 'Send the request as JSON in UTF-8, with Content-Type: application/json and without Content-Encoding.',
};

/**
 * Makes the plugin that gives a body to each refusal that has none: clients then read the reason as they read any other
 * error.
 *
 * @param graphqlPath - Path of the GraphQL endpoint.
 */
export function useRefusalBodies(graphqlPath: string): Plugin {
  return {
    onResponse({ request, response, setResponse, fetchAPI }) {
      const { status, headers } = response;
      if (status < 400 || headers.has('content-type')) return;
      const reason = REASONS[status] ?? `The server refuses the request with status ${status}.`;
      const message = status === 404 ? `${reason} GraphQL is served at ${graphqlPath}.` : reason;
      const refusal = toRefusalResponse(request, fetchAPI, { status, code: 'BAD_REQUEST', message });
      // Yoga lists types of responses in the request header `Accept`.
      headers.delete('accept');
      if (status === 415) headers.set('Accept-Encoding', 'identity');
      for (const [name, value] of headers) if (name !== 'content-length') refusal.headers.set(name, value);
      addVary(refusal.headers, 'Accept');
      setResponse(refusal);
    },
  };
}
