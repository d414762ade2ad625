import { isAsyncIterable, type Plugin, processRegularResult } from 'graphql-yoga';
import { negotiate } from '../../http/media-types.ts';
import { responseTypes } from '../../http/refusal.ts';
import { addVary } from '../../http/vary.ts';

type Processor = Parameters<Parameters<NonNullable<Plugin['onResultProcess']>>[0]['setResultProcessor']>[0];

const PART_TYPES = ['multipart/mixed', 'text/event-stream'] as const;

/**
 * Makes the plugin that picks the content type of responses which are not delivered in parts, by the client's `Accept`.
 * Yoga takes the first type of the header, whatever its quality, and refuses parameters in quotation marks.
 */
export function useResponseType(): Plugin {
  return {
    onResultProcess({ request, result, setResultProcessor }) {
      if (isAsyncIterable(result)) return;
      const accept = request.headers.get('accept');
      const type = negotiate(accept, responseTypes);
      if (type) setResultProcessor(processRegularResult as Processor, type);
      // Yoga sends one part to a client that accepts only parts. Without a processor it responds with status 406.
      else if (!negotiate(accept, PART_TYPES)) setResultProcessor(undefined as unknown as Processor, '');
    },
    onResponse({ response: { headers } }) {
      if (headers.has('content-type')) addVary(headers, 'Accept');
    },
  };
}
