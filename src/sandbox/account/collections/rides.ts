import type { CollectionDocument, FolderNode, HeaderRow } from '../collection-format.ts';
import { auth, example, folder, jsonBody, markdown, request, script } from '../compose.ts';

const idempotencyKey: HeaderRow = {
  key: 'Idempotency-Key',
  value: '{{$guid}}',
  description: 'The same key within a day is the same ride.',
};

const ride = {
  rideId: 'rd_7h2k9',
  state: 'active',
  bikeId: 'KB-20417',
  startedAt: '2026-03-02T07:41:12Z',
  from: { stationId: 'harbour-north', name: 'Harbour North' },
  price: { currency: 'EUR', amountMinor: 0 },
};

/** Rides API: a ride from signing in to the receipt. */
export function createRides(): CollectionDocument {
  return {
    info: {
      name: 'Rides API',
      description: markdown(
        '# Rides API\n\nStart, pause and end a ride, and read what it cost.\n\n' +
          'Run **Sign in** first; it puts `riderToken` into the environment.',
      ),
    },
    auth: auth('bearer', { token: '{{riderToken}}' }),
    event: [
      script(
        'prerequest',
        "pm.request.headers.upsert({ key: 'X-Trace', value: pm.globals.get('tracingKey') || 'none' });",
      ),
      script(
        'test',
        "pm.test('answers within a second', () => {\n  pm.expect(pm.response.responseTime).to.be.below(1000);\n});",
      ),
    ],
    variable: [
      { key: 'apiVersion', value: '2026-01-15', type: 'string' },
      { key: 'rideId', value: 'rd_7h2k9', type: 'string', description: 'Set by Start a ride' },
      { key: 'supportCode', value: 'demo-support-code-31c8', type: 'secret', secret: true },
    ],
    protocolProfileBehavior: { strictSSL: true, maxRedirects: 3 },
    item: [signInFolder(), ridesFolder(), supportDeskFolder()],
  };
}

function signInFolder(): FolderNode {
  return folder(
    'Sign in',
    [
      request('Sign in', 'POST {{baseUrl}}/v1/session', {
        auth: auth('noauth'),
        description: 'Sends a one-time code in test systems, so any six digits do.',
        body: jsonBody({ email: '{{riderEmail}}', code: '000000' }),
        event: [
          script(
            'test',
            `
const { token } = pm.response.json();
pm.test('hands out a token', () => pm.expect(token).to.be.a('string'));
pm.environment.set('riderToken', token);`,
          ),
        ],
        examples: [
          example('Signed in', 200, 'OK', { token: 'demo-session-token', expiresInSeconds: 3600 }),
          example(
            'Wrong code',
            401,
            'Unauthorized',
            { title: 'The code is wrong or too old', status: 401 },
            { responseTime: 88 },
          ),
        ],
      }),
      request('Sign out', 'DELETE {{baseUrl}}/v1/session', {
        examples: [{ name: 'Signed out', status: 'No Content', code: 204, header: [], cookie: [], body: null }],
      }),
    ],
    { auth: auth('noauth'), description: 'No token yet, so nothing here is authorized.' },
  );
}

function ridesFolder(): FolderNode {
  return folder(
    'Rides',
    [
      request('List my rides', 'GET {{baseUrl}}/v1/rides?state=active&limit=20&withPath', {
        description: markdown('Newest first. `withPath` is a flag: it has no value.'),
        header: [
          { key: 'Accept', value: 'application/json' },
          { key: 'Api-Version', value: '{{apiVersion}}' },
          { key: 'X-Debug', value: 'timings', disabled: true, description: 'Staging only' },
        ],
        query: [
          { key: 'state', value: 'active', description: 'active, paused or ended' },
          { key: 'before', value: '{{$isoTimestamp}}', disabled: true },
        ],
        examples: [
          example('One active ride', 200, 'OK', { rides: [ride], next: null }),
          example('No rides', 200, 'OK', { rides: [], next: null }),
        ],
      }),
      request('Get a ride', 'GET {{baseUrl}}/v1/rides/:rideId', {
        pathVariables: [{ key: 'rideId', value: '{{rideId}}', description: 'Begins with rd_' }],
        examples: [
          example('An active ride', 200, 'OK', ride),
          // Written by hand as documentation, never sent: it has neither a status nor headers.
          {
            name: 'Not mine',
            header: null,
            cookie: [],
            _postman_previewlanguage: null,
            body: '{ "title": "No such ride" }',
          },
        ],
      }),
      folder('Lifecycle', [
        request('Start a ride', 'POST {{baseUrl}}/v1/rides', {
          header: [idempotencyKey],
          body: jsonBody({ bikeId: 'KB-20417', stationId: 'harbour-north' }),
          event: [
            script('prerequest', "pm.variables.set('startedAt', new Date().toISOString());"),
            script('test', "pm.collectionVariables.set('rideId', pm.response.json().rideId);"),
          ],
          examples: [
            example('Started', 201, 'Created', ride),
            example('Bike already taken', 409, 'Conflict', { title: 'This bike is on a ride', status: 409 }),
          ],
        }),
        request('End a ride', 'POST {{baseUrl}}/v1/rides/:rideId/end', {
          pathVariables: [{ key: 'rideId', value: '{{rideId}}' }],
          header: [idempotencyKey],
          body: jsonBody({ stationId: 'market-square', odometerKm: 3.2 }),
          examples: [
            example('Ended', 200, 'OK', { ...ride, state: 'ended', price: { currency: 'EUR', amountMinor: 245 } }),
          ],
        }),
        folder(
          'Pauses',
          [
            request('Pause', 'PUT {{baseUrl}}/v1/rides/:rideId/pause', {
              pathVariables: [{ key: 'rideId', value: '{{rideId}}' }],
              body: jsonBody({ reason: 'shopping' }),
            }),
            request('Resume', 'DELETE {{baseUrl}}/v1/rides/:rideId/pause', {
              pathVariables: [{ key: 'rideId', value: '{{rideId}}' }],
            }),
            folder('Edge cases', [
              request('Pause twice', 'PUT {{baseUrl}}/v1/rides/:rideId/pause', {
                pathVariables: [{ key: 'rideId', value: '{{rideId}}' }],
                body: jsonBody({ reason: 'again' }),
                examples: [example('Already paused', 409, 'Conflict', { title: 'The ride is paused', status: 409 })],
              }),
              request('Pause an ended ride', 'PUT {{baseUrl}}/v1/rides/rd_ended/pause', { body: jsonBody({}) }),
            ]),
          ],
          { description: 'A pause may take **ten minutes**; then the ride ends by itself.' },
        ),
      ]),
      folder('Receipts', []),
    ],
    { variable: [{ key: 'pageSize', value: '20', type: 'string' }] },
  );
}

function supportDeskFolder(): FolderNode {
  return folder(
    'Support desk',
    [
      request('Refund a ride', 'POST {{baseUrl}}/internal/rides/:rideId/refund', {
        pathVariables: [{ key: 'rideId', value: '{{rideId}}' }],
        body: jsonBody({ amountMinor: 245, code: '{{supportCode}}' }),
      }),
      request('Unlock a bike by hand', 'POST {{baseUrl}}/internal/bikes/KB-20417/unlock', {
        auth: auth('apikey', { key: 'X-Desk-Key', value: 'demo-desk-key-6f02d9', in: 'header' }),
        protocolProfileBehavior: { followRedirects: false, disableBodyPruning: true },
      }),
    ],
    {
      auth: auth('basic', { username: 'support-desk', password: 'demo-desk-password-88' }),
      protocolProfileBehavior: { followRedirects: true, strictSSL: false },
    },
  );
}
