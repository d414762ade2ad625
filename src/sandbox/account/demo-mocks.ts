import type { MockConfig, StoredMock } from './account.ts';
import { ids } from './demo-ids.ts';

/** The configuration of a new mock server. */
export const newMockConfig: MockConfig = {
  headers: [],
  matchBody: false,
  matchQueryParams: true,
  matchWildcards: false,
  delay: null,
  serverResponseId: '',
};

/** The mock servers of the example account. */
export function createDemoMocks(): StoredMock[] {
  const { collections, environments, mocks } = ids;
  return [
    {
      ...mock(mocks.rides, 'Rides API for the app team', collections.rides, '2025-04-11T07:20:15.000Z'),
      environment: environments.staging,
      updatedAt: '2026-02-02T12:03:44.000Z',
      config: {
        ...newMockConfig,
        headers: ['x-city'],
        matchWildcards: true,
        delay: { type: 'fixed', preset: '1', duration: 300 },
      },
    },
    {
      ...mock(mocks.stations, 'Stations, always out of order', collections.stations, '2026-01-19T10:11:00.000Z'),
      isPublic: true,
      config: { ...newMockConfig, matchQueryParams: false, serverResponseId: '4714551d-6440-545a-8628-c9bcf4790871' },
    },
    {
      ...mock(mocks.pricing, 'Prices of last year', collections.pricing, '2024-06-10T09:00:00.000Z'),
      environment: environments.local,
      deactivated: true,
      updatedAt: '2025-01-02T08:30:00.000Z',
    },
    {
      ...mock(mocks.payments, 'Acquirer that declines', collections.payments, '2023-06-01T06:45:00.000Z'),
      environment: environments.paymentsSandbox,
      config: { ...newMockConfig, matchBody: true, serverResponseId: null },
    },
    mock(
      mocks.nightly,
      'Nightly stand-in',
      `${ids.users.ines}-0a6f3c58-41de-4b7a-9c90-6d1b2e85f374`,
      '2024-12-01T03:00:00.000Z',
    ),
  ];
}

function mock(uid: string, name: string, collection: string, createdAt: string): StoredMock {
  const [owner = '', ...idParts] = uid.split('-');
  return {
    id: idParts.join('-'),
    owner,
    name,
    collection,
    isPublic: false,
    deactivated: false,
    createdAt,
    updatedAt: createdAt,
    config: newMockConfig,
  };
}
