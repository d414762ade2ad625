import type { CollectionDocument } from '../collection-format.ts';
import { jsonBody, request } from '../compose.ts';

/** A scratchpad. */
export function createScratch(): CollectionDocument {
  return {
    info: { name: 'New Collection' },
    item: [
      request('New Request', 'GET https://echo.kestrel-bikes.example/get?q=%C3%A6bletr%C3%A6&empty='),
      request('try the unicode thing', 'POST http://localhost:8080/echo', {
        body: jsonBody({ greeting: 'Hej, verden', bike: 'ladcykel', city: 'Århus' }),
      }),
    ],
  };
}
