import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { variables } from '../../src/config/variables.ts';
import {
  compileManifests,
  listImports,
  listManifestFiles,
  type Manifest,
  readManifests,
  readText,
} from './manifests.ts';

const manifests = readManifests();
const deployment = manifests.find(({ kind }) => kind === 'Deployment')?.body as unknown as Deployment;
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const dockerfile = readText('Dockerfile');
const compose = parse(readText('deploy/compose.yaml')) as Compose;
const known = new Set([...variables.map(({ name }) => name), 'NODE_OPTIONS']);
const portOf = (name: string) => Number(variables.find((variable) => variable.name === name)?.default);

/** What the tests read of the deployment. */
interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string; readonly secret: { readonly secretName: string } }[];
      };
    };
  };
}

interface Container {
  readonly image: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly resources: { readonly limits: { readonly memory: string } };
}

interface Scrapes {
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly {
    readonly static_configs: readonly { readonly targets: readonly string[] }[];
  }[];
}

interface Policy {
  readonly spec: {
    readonly ingress: readonly {
      readonly ports: readonly { readonly port: string }[];
      readonly from?: readonly object[];
    }[];
  };
}

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly image: string;
        readonly environment?: Readonly<Record<string, string>>;
        readonly ports?: readonly string[];
        readonly volumes?: readonly string[];
        readonly secrets?: readonly string[];
      }
    >
  >;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

it('the kustomization lists every manifest there is', () => {
  expect([...manifests.map(({ file }) => file), 'kustomization.yaml'].toSorted()).toEqual(
    listManifestFiles().toSorted(),
  );
});

it.each(manifests)('$file is valid by the schema of its kind', async ({ apiVersion, kind, body }) => {
  await expect(validate(apiVersion, kind, body)).resolves.toBeUndefined();
});

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
it.skipIf(!hasKubectl)('kubectl renders them, with the image that the kustomization names', () => {
  const folder = fileURLToPath(new URL('../../deploy/kubernetes', import.meta.url));
  const { stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const rendered = parseAllDocuments(stdout).map((document) => document.toJS() as Deployment & { kind: string });
  expect(rendered.map(({ kind }) => kind).toSorted()).toEqual(manifests.map(({ kind }) => kind).toSorted());
  const [named] = rendered.find(({ kind }) => kind === 'Deployment')?.spec.template.spec.containers ?? [];
  expect(named?.image).toMatch(/^registry\.example\.com\/postman-graphql:\d/);
});

it('the schemas find a value of a wrong type', async () => {
  const broken = { ...deployment, spec: { ...deployment.spec, replicas: 'two' } };
  await expect(validate('apps/v1', 'Deployment', broken)).rejects.toThrow(/replicas/);
});

it('the manifests have no name that Kubernetes does not know', () => {
  expect(compileManifests(manifests)).toBe('');
});

it('a name that Kubernetes does not know is found', () => {
  const misspelled: Manifest = {
    file: 'pod-disruption-budget.yaml',
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    body: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', spec: { maxUnavailabel: 1 } },
  };
  expect(compileManifests([misspelled])).toContain('maxUnavailabel');
});

it('all of them name only variables that are read', () => {
  const named = [
    ...container.env.map(({ name }) => name),
    ...[...dockerfile.matchAll(/^ENV (.*)$/gm)].flatMap(([, line = '']) =>
      line.split(' ').map((pair) => pair.split('=')[0] ?? ''),
    ),
    ...Object.values(compose.services).flatMap(({ environment = {} }) => Object.keys(environment)),
  ];
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

it('all of them name the port on which the server listens, and its probes', () => {
  const port = portOf('PORT');
  expect(dockerfile).toContain(`EXPOSE ${port}\n`);
  expect(dockerfile).toMatch(new RegExp(`^ENV .*\\bPORT=${port}\\b`, 'm'));
  expect(container.ports.find(({ name }) => name === 'http')?.containerPort).toBe(port);
  expect(compose.services['server']?.ports).toEqual([`127.0.0.1:${port}:${port}`]);
});

it('all of them name one port for metrics, which Prometheus scrapes and nobody else reaches', async () => {
  const variablesOf = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  const port = variablesOf['METRICS_PORT'];
  const { environment, ports } = compose.services['server'] ?? {};
  const { scrape_configs: scrapes, rule_files: rules } = parse(
    readText('deploy/prometheus/prometheus.yaml'),
  ) as Scrapes;
  expect({
    host: variablesOf['METRICS_HOST'],
    port: String(container.ports.find(({ name }) => name === 'metrics')?.containerPort),
    annotations: deployment.spec.template.metadata.annotations,
    compose: [environment?.['METRICS_HOST'], environment?.['METRICS_PORT']],
    targets: scrapes.flatMap(({ static_configs: configs }) => configs.flatMap(({ targets }) => targets)),
  }).toEqual({
    host: '0.0.0.0',
    port,
    annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': port, 'prometheus.io/path': '/metrics' },
    compose: ['0.0.0.0', port],
    targets: [`server:${port}`],
  });
  expect(dockerfile).toContain(`EXPOSE ${port}\n`);
  expect(ports?.join()).not.toContain(port);
  const policy = manifests.find(({ kind }) => kind === 'NetworkPolicy')?.body as unknown as Policy;
  const [open, closed] = policy.spec.ingress;
  expect([open?.ports.map(({ port }) => port), open?.from]).toEqual([['http'], undefined]);
  expect([closed?.ports.map(({ port }) => port), closed?.from?.length]).toEqual([['metrics'], 1]);
  // The files that Prometheus reads are mounted, and exist.
  const mounted = compose.services['prometheus']?.volumes?.filter((volume) => volume.startsWith('./')) ?? [];
  const names = mounted.map((volume) => volume.split(':')[0]?.slice('./prometheus/'.length) ?? '');
  expect(names).toEqual(['prometheus.yaml', ...rules]);
  for (const name of names) expect(readText(`deploy/prometheus/${name}`)).not.toBe('');
});

it('the image starts what the package starts, on the Node that the project uses', () => {
  const { bin } = JSON.parse(readText('package.json')) as { bin: Readonly<Record<string, string>> };
  expect(dockerfile).toContain(`CMD ["node", "${bin['postman-graphql']}"]`);
  expect(dockerfile).toMatch(
    new RegExp(`^ARG NODE_IMAGE=docker\\.io/library/node:${readText('.nvmrc').trim()}\\.\\d+\\.\\d+-`, 'm'),
  );
});

it('the image is built of nothing but the files that it names', () => {
  const [first, ...included] = readText('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(first).toBe('*');
  expect(included.every((line) => line.startsWith('!'))).toBe(true);
  // And of all that its build compiles.
  const paths = included.map((line) => line.slice(1));
  const { include } = JSON.parse(readText('tsconfig.build.json')) as { include: readonly string[] };
  expect(include.filter((path) => !paths.includes(path))).toEqual([]);
  const compiled = [...include, 'test/support'];
  const imports = listImports(compiled);
  expect(imports.length).toBeGreaterThan(100);
  expect(imports.filter((file) => !paths.some((path) => file === path || file.startsWith(`${path}/`)))).toEqual([]);
});

it('files of secrets are where they are mounted', () => {
  const [mount] = container.volumeMounts;
  const files = container.env.filter(({ name }) => name.endsWith('_FILE')).map(({ value }) => value);
  expect(files.length).toBeGreaterThan(1);
  const keys = [...readText('deploy/kubernetes/kustomization.yaml').matchAll(/--from-file=([\w-]+)/g)].map(
    ([, key]) => key,
  );
  expect(files.map((file) => file.slice(0, file.lastIndexOf('/')))).toEqual(files.map(() => mount?.mountPath));
  expect(files.map((file) => file.slice(file.lastIndexOf('/') + 1)).toSorted()).toEqual(keys.toSorted());
  const { environment = {}, secrets = [] } = compose.services['server'] ?? {};
  const composed = Object.entries(environment)
    .filter(([name]) => name.endsWith('_FILE'))
    .map(([, path]) => path);
  expect(composed.toSorted()).toEqual(secrets.map((name) => `/run/secrets/${name}`).toSorted());
  expect(Object.keys(compose.secrets).toSorted()).toEqual(secrets.toSorted());
});

it('all of them name the version of the package', () => {
  const { version } = JSON.parse(readText('package.json')) as { version: string };
  expect(readText('deploy/kubernetes/kustomization.yaml')).toContain(`newTag: ${version}\n`);
  expect(compose.services['server']?.image).toBe(`postman-graphql:${version}`);
});

/** @throws {Error} that names what is wrong. */
async function validate(apiVersion: string, kind: string, body: object): Promise<void> {
  const models = (await import(`kubernetes-models/${apiVersion}`)) as Readonly<
    Record<string, new (body: object) => { validate(): void }>
  >;
  const Model = models[kind];
  if (!Model) throw new Error(`There is no ${kind} in ${apiVersion}`);
  new Model(body).validate();
}
