import type { Account, StoredCollection } from './account.ts';
import type { CollectionDocument } from './collection-format.ts';
import { createLegacyDispatch } from './collections/legacy-dispatch.ts';
import { createOpenData } from './collections/open-data.ts';
import { createPayments } from './collections/payments.ts';
import { createPricing } from './collections/pricing.ts';
import { createRegression } from './collections/regression.ts';
import { createRides } from './collections/rides.ts';
import { createScratch } from './collections/scratch.ts';
import { createSettlement } from './collections/settlement.ts';
import { createSmoke } from './collections/smoke.ts';
import { createStations } from './collections/stations.ts';
import { createTelemetryDraft } from './collections/telemetry-draft.ts';
import { createWebhooks } from './collections/webhooks.ts';
import { createDemoEnvironments } from './demo-environments.ts';
import { ids } from './demo-ids.ts';
import { createDemoMocks } from './demo-mocks.ts';
import { createDemoWorkspaces } from './demo-workspaces.ts';
import { stampDocument } from './stamp.ts';

/**
 * Creates the example account: the fictional bike-share company Kestrel Bikes, as seen with the key of Ines Aldana.
 *
 * @returns A new copy each time, the same in every process.
 */
export function createDemoAccount(): Account {
  let collections: readonly StoredCollection[] | undefined;
  return {
    user: {
      id: Number(ids.users.ines),
      sub: 'b5d75c52-1363-46d5-911b-88f4c722f704',
      username: 'ines-aldana',
      email: 'ines.aldana@kestrel-bikes.example',
      fullName: 'Ines Aldana',
      avatar: 'https://kestrel-bikes.example/people/ines.png',
      isPublic: true,
      emailVerified: true,
      teamId: ids.team,
      teamName: 'Kestrel Bikes',
      teamDomain: 'kestrel-bikes',
      roles: ['admin', 'user'],
    },
    team: [
      {
        id: Number(ids.users.jonas),
        name: 'Jonas Weidner',
        username: 'jonas-weidner',
        email: 'jonas.weidner@kestrel-bikes.example',
        roles: ['user'],
        joinedAt: '2023-02-20T10:00:00.000Z',
      },
      {
        id: Number(ids.users.ines),
        name: 'Ines Aldana',
        username: 'ines-aldana',
        email: 'ines.aldana@kestrel-bikes.example',
        roles: ['admin', 'user'],
        joinedAt: '2023-02-14T08:00:00.000Z',
      },
    ],
    operations: [
      { name: 'api_usage', limit: 100_000, usage: 18_452, overage: 0 },
      { name: 'monitor_request_runs', limit: 10_000, usage: 731, overage: 0 },
      { name: 'mock_usage', limit: 100_000, usage: 2206, overage: 0 },
      { name: 'file_storage_in_gb', limit: 100, usage: 1.37, overage: 0 },
    ],
    workspaces: createDemoWorkspaces(),
    // Made when they are first read: making them would be 6 % of a start.
    get collections() {
      return (collections ??= createDemoCollections());
    },
    environments: createDemoEnvironments(),
    mocks: createDemoMocks(),
  };
}

function createDemoCollections(): readonly StoredCollection[] {
  return [
    store(ids.collections.rides, createRides(), '2023-02-14T08:12:31.000Z', '2026-03-02T15:40:09.000Z'),
    store(ids.collections.stations, createStations(), '2023-02-14T08:20:02.000Z', '2026-01-19T10:05:44.000Z'),
    store(ids.collections.pricing, createPricing(), '2024-06-03T12:00:00.000Z', '2026-02-11T09:31:27.000Z'),
    store(
      ids.collections.telemetryDraft,
      createTelemetryDraft(),
      '2026-03-05T16:22:48.000Z',
      '2026-03-05T16:22:48.000Z',
    ),
    store(ids.collections.payments, createPayments(), '2023-05-22T07:45:10.000Z', '2026-02-27T13:18:36.000Z'),
    store(ids.collections.settlement, createSettlement(), '2023-09-01T06:00:00.000Z', '2025-11-30T22:10:05.000Z'),
    store(ids.collections.webhooks, createWebhooks(), '2024-01-08T14:33:20.000Z', '2025-12-12T11:02:51.000Z'),
    store(ids.collections.openData, createOpenData(), '2023-04-04T09:09:09.000Z', '2026-01-07T08:00:00.000Z', {
      isPublic: true,
    }),
    store(ids.collections.openDataFork, createOpenData(), '2025-10-21T17:55:13.000Z', '2025-10-28T19:03:40.000Z', {
      fork: { label: 'ines/vector-tiles', createdAt: '2025-10-21T17:55:13.000Z', from: ids.collections.openData },
    }),
    store(ids.collections.smoke, createSmoke(), '2024-11-18T10:10:10.000Z', '2026-03-04T06:30:00.000Z', {
      lastUpdatedBy: ids.users.jonas,
    }),
    store(ids.collections.regression, createRegression(), '2025-02-02T02:02:02.000Z', '2026-03-01T00:00:00.000Z'),
    store(
      ids.collections.legacyDispatch,
      createLegacyDispatch(),
      '2019-08-26T13:37:00.000Z',
      '2022-04-11T12:48:59.000Z',
    ),
    store(ids.collections.scratch, createScratch(), '2025-07-15T20:41:17.000Z', '2026-03-06T21:12:03.000Z'),
  ];
}

function store(
  uid: string,
  document: CollectionDocument,
  createdAt: string,
  updatedAt: string,
  more: Partial<Pick<StoredCollection, 'isPublic' | 'lastUpdatedBy' | 'fork'>> = {},
): StoredCollection {
  const [owner = '', ...idParts] = uid.split('-');
  const id = idParts.join('-');
  return {
    id,
    owner,
    name: document.info.name,
    isPublic: false,
    createdAt,
    updatedAt,
    lastUpdatedBy: owner,
    ...more,
    document: stampDocument(document, { collectionId: id, owner, createdAt, updatedAt }),
  };
}
