import type { CollectionDocument } from '../collection-format.ts';
import { auth, folder, jsonBody, request, script } from '../compose.ts';

const isUp = script('test', "pm.test('is up', () => pm.response.to.have.status(200));");

/** Smoke tests: mostly scripts, with some accidental oddities. */
export function createSmoke(): CollectionDocument {
  return {
    info: { name: 'Smoke tests', description: null },
    auth: auth('bearer', { token: '{{riderToken}}' }),
    event: [
      script(
        'prerequest',
        `
// One run id for all requests of a run
if (!pm.collectionVariables.get('runId')) {
  pm.collectionVariables.set('runId', pm.variables.replaceIn('{{$guid}}'));
}`,
      ),
    ],
    variable: [
      { key: 'runId', value: '' },
      { key: 'maxMs', value: 800, type: 'number' },
      { key: 'strict', value: true, type: 'boolean', disabled: true },
    ],
    item: [
      request('Health', 'GET {{baseUrl}}/health', { auth: auth('noauth'), event: [isUp] }),
      // Two requests with the same name: one was duplicated and never renamed.
      request('Health', 'GET {{baseUrl}}/health', { auth: auth('noauth'), event: [{ ...isUp, disabled: true }] }),
      // The format cannot express this kind of request, so only its name was exported.
      { name: 'Unlock stream (gRPC)', response: [] },
      folder('Write paths', [
        request('Start and end a ride', 'POST {{baseUrl}}/v1/rides', {
          body: jsonBody({ bikeId: 'KB-TEST-1', stationId: 'harbour-north' }),
          event: [
            script('prerequest', "console.log('run', pm.collectionVariables.get('runId'));"),
            script('test', "postman.setNextRequest('Health');"),
          ],
        }),
        request('Drop the caches', 'PURGE {{baseUrl}}/cache/stations'),
      ]),
    ],
  };
}
