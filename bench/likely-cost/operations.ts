import type { Account } from '../../src/sandbox/account/account.ts';
import type { Random } from '../budget/random.ts';

const PAGES = ['', '', '', '', '(first: 5)', '(first: 10)', '(first: 20)', '(first: 50)', '(first: 100)'] as const;
const COLLECTION_FIELDS = [
  'name',
  'name',
  'updatedAt',
  'updatedAt',
  'description',
  'description',
  'items { name }',
  'variables { key }',
  'isPublic',
  'fork { parent { name } }',
  'workspace { name }',
] as const;
const ENVIRONMENT_FIELDS = ['name', 'name', 'updatedAt', 'values { key }', 'values { key }'] as const;
const WORKSPACE_FIELDS = ['name', 'name', 'about', 'description', 'globals { key }', 'createdAt'] as const;
// Fraction of named objects that do not exist.
const MISSING_FRACTION = 1 / 10;

/** Writes a random operation for an account: one or two fields, nested lists, and look-ups of its objects. */
export function createAnyOperation(account: Account, random: Random): string {
  const some = (fields: readonly [string, ...string[]], most: number) =>
    [...new Set(Array.from({ length: random.whole(1, most) }, () => random.pick(fields)))].join(' ');
  const page = (more = '') =>
    random.pick(PAGES).replace('(', more === '' ? '(' : `(${more}, `) || (more && `(${more})`);
  const listOf = (name: string, nodes: string, more = '') => `${name}${page(more)} { nodes { ${nodes} } }`;

  const ofEnvironment = () => some(ENVIRONMENT_FIELDS, 2);
  const ofCollection = () => some(COLLECTION_FIELDS, 3);
  const ofWorkspace = () => {
    const parts = [some(WORKSPACE_FIELDS, 2)];
    if (random.chance(0.6)) parts.push(listOf('collections', ofCollection()));
    if (random.chance(0.4)) parts.push(listOf('environments', ofEnvironment()));
    return parts.join(' ');
  };

  const missing = '00000000-0000-4000-8000-000000000000';
  const any = (things: readonly { readonly id: string; readonly owner?: string }[]): string => {
    const thing =
      things.length === 0 || random.chance(MISSING_FRACTION) ? undefined : things[random.whole(0, things.length - 1)];
    const owner = thing?.owner ?? (things === account.workspaces ? undefined : '41829063');
    return `${owner === undefined ? '' : `${owner}-`}${thing?.id ?? missing}`;
  };
  const { workspaces, collections, environments } = account;
  const aliased = (toField: () => string) => {
    const count = random.pick([1, 1, 1, 2, 5, 10] as const);
    return Array.from({ length: count }, (_, index) => `a${random.whole(0, 1e9)}_${index}: ${toField()}`).join(' ');
  };

  const roots: readonly [() => string, ...(() => string)[]] = [
    () => 'me { username }',
    () => listOf('workspaces', ofWorkspace()),
    () => listOf('workspaces', ofWorkspace()),
    () => listOf('workspaces', 'name', 'visibility: TEAM'),
    () => `workspace(id: "${any(workspaces)}") { ${ofWorkspace()} }`,
    () => `workspace(id: "${any(workspaces)}") { ${ofWorkspace()} }`,
    () => listOf('collections', ofCollection()),
    () => listOf('collections', ofCollection(), `workspaceId: "${any(workspaces)}"`),
    () => listOf('collections', ofCollection(), `name: "Collection ${random.whole(0, collections.length)}"`),
    () => {
      const fields = ofCollection();
      return aliased(() => `collection(uid: "${any(collections)}") { ${fields} }`);
    },
    () => {
      const fields = ofCollection();
      return aliased(() => `collection(uid: "${any(collections)}") { ${fields} }`);
    },
    () => listOf('environments', ofEnvironment()),
    () => listOf('environments', ofEnvironment(), `workspaceId: "${any(workspaces)}"`),
    () => aliased(() => `environment(uid: "${any(environments)}") { ${ofEnvironment()} }`),
  ];
  const count = random.chance(0.7) ? 1 : 2;
  return Array.from({ length: count }, (_, index) => {
    const field = random.pick(roots)();
    return /^a\d/.test(field) ? field : `r${index}: ${field}`;
  }).join(' ');
}
