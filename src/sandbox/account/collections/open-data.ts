import type { CollectionDocument } from '../collection-format.ts';
import { auth, example, folder, request } from '../compose.ts';

/** Open Data: a public API without keys. */
export function createOpenData(): CollectionDocument {
  return {
    info: { name: 'Open Data API', description: 'Availability of bikes and docks, every minute. Licence: CC BY 4.0.' },
    auth: auth('noauth'),
    variable: [{ key: 'openDataUrl', value: 'https://open.kestrel-bikes.example/v2' }],
    item: [
      request('Feeds', 'GET {{openDataUrl}}/feeds.json', {
        examples: [example('All feeds', 200, 'OK', { feeds: ['stations', 'availability', 'zones'], ttlSeconds: 60 })],
      }),
      folder('Feeds in detail', [
        request('Stations', 'GET {{openDataUrl}}/stations?format={{format}}'),
        request('Availability', 'GET {{openDataUrl}}/availability?station=harbour-north&station=market-square', {
          examples: [
            example('Two stations', 200, 'OK', {
              at: '2026-03-02T08:00:00Z',
              stations: [
                { id: 'harbour-north', bikes: 15 },
                { id: 'market-square', bikes: 0 },
              ],
            }),
          ],
        }),
        request('Zones', 'GET {{openDataUrl}}/zones#speed-limits'),
      ]),
    ],
  };
}
