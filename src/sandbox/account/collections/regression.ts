import type { CollectionDocument, FolderNode } from '../collection-format.ts';
import { auth, example, folder, request, script } from '../compose.ts';

const cities = {
  'Harbour City': [
    'Harbour North',
    'Harbour South',
    'Market Square',
    'Old Mill',
    'Lighthouse',
    'Ferry Dock',
    'Theatre',
    'Canal Bridge',
  ],
  Northfield: [
    'Central Station',
    'University',
    'Botanical Garden',
    'Stadium',
    'Hospital',
    'West Gate',
    'Library',
    'Airport',
  ],
  Elmsworth: [
    'Town Hall',
    'Riverside',
    'Castle Hill',
    'Fairground',
    'Brewery',
    'Museum',
    'Park and Ride',
    'Swimming Hall',
    'Cathedral',
  ],
};

const checks = [
  { name: 'is listed', path: '', status: 200 },
  { name: 'has docks', path: '/docks', status: 200 },
  { name: 'has bikes', path: '/bikes', status: 200 },
  { name: 'shows electric bikes', path: '/bikes?electricOnly', status: 200 },
  { name: 'forecasts the next hour', path: '/forecast?minutes=60', status: 200 },
  { name: 'forecasts no farther', path: '/forecast?minutes=100000', status: 422 },
  { name: 'keeps its history', path: '/history?days=7', status: 200 },
  { name: 'has opening hours', path: '/hours', status: 200 },
  { name: 'has a photo', path: '/photo', status: 302 },
  { name: 'has no dock 0', path: '/docks/0', status: 404 },
  { name: 'has dock 1', path: '/docks/1', status: 200 },
  { name: 'answers in Danish', path: '?lang=da', status: 200 },
];

/** Regression matrix: 25 stations times 12 checks, generated. */
export function createRegression(): CollectionDocument {
  return {
    info: {
      name: 'Regression matrix',
      description: 'Generated nightly from the station register. Do not edit by hand.',
    },
    auth: auth('bearer', { token: '{{riderToken}}' }),
    item: Object.entries(cities).map(([city, stations]) => folder(city, stations.map(toStationFolder))),
  };
}

function toStationFolder(station: string): FolderNode {
  const slug = station.toLowerCase().replaceAll(' ', '-');
  return folder(
    station,
    checks.map(({ name, path, status }) =>
      request(`${station} ${name}`, `GET {{baseUrl}}/v1/stations/${slug}${path}`, {
        event: [script('test', `pm.test('${name}', () => pm.response.to.have.status(${status}));`)],
        examples: status === 200 ? [example('As of the last run', status, 'OK', { station: slug, check: name })] : [],
      }),
    ),
  );
}
