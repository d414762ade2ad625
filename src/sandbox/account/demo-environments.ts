import type { StoredEnvironment, StoredVariable } from './account.ts';
import { ids } from './demo-ids.ts';

/** The environments of the example account. All secrets in them are made up. */
export function createDemoEnvironments(): StoredEnvironment[] {
  const { environments } = ids;
  return [
    environment(environments.local, 'Local', '2023-02-14T08:05:00.000Z', '2025-08-20T07:14:00.000Z', [
      plain('baseUrl', 'http://localhost:8080'),
      plain('riderToken', ''),
      plain('riderEmail', 'rider@kestrel-bikes.example', 'Seeded by the test data job'),
      plain('city', 'harbour-city'),
    ]),
    environment(environments.staging, 'Staging', '2023-02-14T08:06:00.000Z', '2026-02-18T10:00:00.000Z', [
      plain('baseUrl', 'https://api.staging.kestrel-bikes.example'),
      secret('riderToken', 'demo-staging-rider-token-20f6c1'),
      plain('riderEmail', 'qa+rider@kestrel-bikes.example'),
      plain('city', 'harbour-city'),
      { ...plain('proxyUrl', 'http://10.20.0.8:3128'), enabled: false },
    ]),
    environment(environments.production, 'Production', '2023-02-14T08:07:00.000Z', '2026-03-01T09:00:00.000Z', [
      plain('baseUrl', 'https://api.kestrel-bikes.example'),
      secret('riderToken', 'demo-production-rider-token-7ab3e9'),
      {
        key: 'mapsKey',
        type: 'secret',
        enabled: true,
        secret: true,
        source: {
          provider: 'postman',
          postman: {
            type: 'cloud',
            secretId: '539b00ef-cc48-446d-9db5-e3d9d6ad1fd3',
            vaultId: '97dd595b-ac32-4618-b908-1f8ecd7eb9ac',
          },
        },
      },
      plain('city', 'harbour-city'),
      { ...plain('traceEverything', 'true', 'Costs money: on only while you look'), enabled: false },
    ]),
    environment(
      environments.paymentsSandbox,
      'Payments sandbox',
      '2023-05-22T07:50:00.000Z',
      '2025-12-12T11:00:00.000Z',
      [
        plain('paymentsUrl', 'https://payments.sandbox.kestrel-bikes.example'),
        plain('merchantId', 'KESTREL-TEST-01'),
        secret('clientSecret', 'demo-sandbox-client-secret-11d0'),
      ],
    ),
    environment(environments.paymentsLive, 'Payments live', '2023-05-22T07:51:00.000Z', '2026-02-27T13:20:00.000Z', [
      plain('paymentsUrl', 'https://payments.kestrel-bikes.example'),
      secret('merchantId', 'KESTREL-LIVE-07'),
      secret('clientSecret', 'demo-live-client-secret-c93b'),
      secret('webhookSigningKey', 'demo-live-signing-key-42aa'),
      { ...secret('clientSecretBefore2025', 'demo-live-client-secret-0b7e'), enabled: false },
    ]),
    {
      ...environment(environments.openData, 'Open data', '2023-04-04T09:10:00.000Z', '2024-05-02T08:00:00.000Z', [
        plain('openDataUrl', 'https://open.kestrel-bikes.example/v2'),
        plain('format', 'geojson'),
      ]),
      isPublic: true,
    },
    environment(environments.blank, 'Ephemeral', '2025-01-20T12:00:00.000Z', '2025-01-20T12:00:00.000Z', []),
  ];
}

function environment(
  uid: string,
  name: string,
  createdAt: string,
  updatedAt: string,
  values: StoredVariable[],
): StoredEnvironment {
  const [owner = '', ...idParts] = uid.split('-');
  return { id: idParts.join('-'), owner, name, isPublic: false, createdAt, updatedAt, values };
}

function plain(key: string, value: string, description?: string): StoredVariable {
  return { key, value, type: 'default', enabled: true, ...(description === undefined ? {} : { description }) };
}

function secret(key: string, value: string): StoredVariable {
  return { key, value, type: 'secret', enabled: true };
}
