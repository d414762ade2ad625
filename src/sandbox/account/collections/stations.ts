import type { CollectionDocument } from '../collection-format.ts';
import { auth, example, folder, formdataBody, jsonBody, markdown, request, script } from '../compose.ts';

const harbourNorth = {
  id: 'harbour-north',
  name: 'Harbour North',
  location: { latitude: 56.1531, longitude: 10.2196 },
  docks: { total: 24, free: 9 },
  bikes: { classic: 11, electric: 4 },
};

/** Stations API: locations of bikes, and maintenance of docks. */
export function createStations(): CollectionDocument {
  return {
    info: { name: 'Stations API', description: 'Stations, docks and the bikes in them.' },
    auth: auth('bearer', { token: '{{riderToken}}' }),
    item: [
      request('Stations nearby', 'GET {{baseUrl}}/v1/stations?near=56.15,10.21&radius=500&electricOnly&sort=', {
        description: 'An empty `sort` means by distance. `electricOnly` is there or not; it has no value.',
        query: [
          { key: 'near', value: '56.15,10.21', description: { content: 'Latitude and longitude', type: 'text/plain' } },
          { key: 'radius', value: '500', description: 'Metres' },
          { key: 'includeClosed', value: 'true', disabled: true },
          {
            key: 'api_key',
            value: 'demo-key-of-the-first-app',
            description: 'Before there were tokens',
            disabled: true,
          },
        ],
        examples: [example('One station', 200, 'OK', { stations: [harbourNorth] }, { responseTime: 41 })],
      }),
      request('Get a station', 'GET {{baseUrl}}/v1/stations/:stationId', {
        pathVariables: [
          {
            key: 'stationId',
            value: 'harbour-north',
            description: markdown('The **slug**, not the number on the sign'),
          },
        ],
        header: [{ key: 'If-None-Match', value: '"3f1a"', disabled: true }],
        examples: [
          example('A station', 200, 'OK', harbourNorth),
          example('Unknown station', 404, 'Not Found', { title: 'No such station', status: 404 }),
        ],
      }),
      request(
        'Docks of a station',
        'GET {{baseUrl}}/v1/stations/:stationId/docks/:dockNumber?state=free&state=broken',
        {
          pathVariables: [
            { key: 'stationId', value: 'harbour-north' },
            { key: 'dockNumber', value: '7' },
          ],
          event: [script('test', "pm.test('is a dock', () => pm.response.to.have.jsonBody('dock'));")],
        },
      ),
      folder(
        'Maintenance',
        [
          request('Report a broken dock', 'POST {{baseUrl}}/v1/stations/:stationId/reports', {
            pathVariables: [{ key: 'stationId', value: 'harbour-north' }],
            description: 'Photos make it twice as fast.',
            body: formdataBody([
              { key: 'dock', value: '7', type: 'text' },
              { key: 'note', value: 'The latch does not close', type: 'text', description: 'At most 500 characters' },
              { key: 'photos', type: 'file', src: ['/photos/latch-open.jpg', '/photos/latch-closed.jpg'] },
              { key: 'video', type: 'file', src: '/photos/latch.mp4', disabled: true },
              { key: 'sketch', type: 'file', src: null },
              { key: 'meta', value: '{"app":"5.12"}', type: 'text', contentType: 'application/json' },
            ]),
          }),
          request('Close a station', 'PATCH {{baseUrl}}/v1/stations/:stationId', {
            pathVariables: [{ key: 'stationId', value: 'market-square' }],
            auth: auth('oauth2', {
              grant_type: 'client_credentials',
              accessTokenUrl: 'https://id.kestrel-bikes.example/oauth/token',
              clientId: 'station-console',
              clientSecret: 'demo-console-client-secret-5a1e',
              scope: 'stations:write',
              addTokenTo: 'header',
              useBrowser: false,
            }),
            body: jsonBody({ open: false, reason: 'Road works', until: '2026-05-01' }),
          }),
        ],
        { description: { content: 'For the crew on the road.', type: 'text/plain' } },
      ),
    ],
  };
}
