import type { CollectionDocument } from '../collection-format.ts';
import { auth, folder, jsonBody, request } from '../compose.ts';

const rideEnded = jsonBody({ event: 'ride.ended', rideId: 'rd_7h2k9', at: '2026-03-02T08:03:55Z' });

/** Webhooks for partners, with the less common kinds of authorization. */
export function createWebhooks(): CollectionDocument {
  return {
    info: { name: 'Webhooks', description: 'One request for each way in which a partner checks that it was us.' },
    item: [
      folder('Partners', [
        request('City dashboard (JWT)', 'POST https://hooks.harbour-city.example:8443/kestrel', {
          auth: auth('jwt', {
            algorithm: 'HS256',
            secret: 'demo-jwt-secret-a5b1',
            isSecretBase64Encoded: false,
            payload: '{ "iss": "kestrel" }',
            addTokenTo: 'header',
          }),
          body: rideEnded,
        }),
        request('Transit planner (Hawk)', 'POST https://planner.example/hooks/bikes', {
          auth: auth('hawk', { authId: 'kestrel', authKey: 'demo-hawk-key-0d93', algorithm: 'sha256' }),
          body: rideEnded,
        }),
        request('Insurance (digest)', 'POST https://claims.insurer.example/kestrel?dry-run', {
          auth: auth('digest', {
            username: 'kestrel',
            password: 'demo-digest-password-77',
            realm: 'claims',
            qop: 'auth',
          }),
          body: rideEnded,
        }),
        request(
          'Data lake (AWS)',
          'PUT https://kestrel-events.s3.eu-north-1.amazonaws.example/2026/03/02/rd_7h2k9.json',
          {
            auth: auth('awsv4', {
              accessKey: 'DEMOACCESSKEY',
              secretKey: 'demo-aws-secret-key-3e6f',
              region: 'eu-north-1',
              service: 's3',
            }),
            body: rideEnded,
          },
        ),
      ]),
      request('Subscriptions', 'GET {{paymentsUrl}}/webhooks/subscriptions'),
      request('Rotate the signing key', 'POST {{paymentsUrl}}/webhooks/keys', {
        header: [{ key: 'X-Signing-Key', value: '{{webhookSigningKey}}' }],
        body: null,
      }),
    ],
  };
}
