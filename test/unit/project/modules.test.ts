import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const architecture = readFileSync(new URL('ARCHITECTURE.md', root), 'utf8');
const sources = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts'));

type Edge = readonly [from: string, to: string];

/** A layer has modules; a module is named after its folder, such as `upstream/cache`. */
interface Diagram {
  readonly layers: ReadonlySet<string>;
  readonly modules: ReadonlySet<string>;
  readonly edges: readonly Edge[];
}

const layerOf = (name: string) => name.split('/', 1)[0] ?? name;

/** Reads the kinds of lines that the diagram has: subgraphs for layers, nodes, and arrows from one source. */
function parseDiagram(text: string): Diagram {
  const names = new Map<string, string>();
  const layers = new Set<string>();
  const modules = new Set<string>();
  const arrows: Edge[] = [];
  let layer: string | undefined;
  for (const line of text.trim().split('\n').slice(1)) {
    const [, subgraphId, subgraphLabel] = /^ *subgraph (\w+)\["([\w-]+)"\]$/.exec(line) ?? [];
    const nodes = /^ *\w+(?:\["[\w-]+"\])?(?: & \w+(?:\["[\w-]+"\])?)*$/.exec(line)?.[0].trim();
    const [, from, to] = /^ *(\w+) --> (\w+(?: & \w+)*)$/.exec(line) ?? [];
    if (subgraphId && subgraphLabel) {
      layer = subgraphLabel;
      layers.add(layer);
      names.set(subgraphId, layer);
    } else if (line.trim() === 'end') layer = undefined;
    else if (nodes) {
      for (const node of nodes.split(' & ')) {
        const [, id = '', label = id] = /^(\w+)(?:\["(.+)"\])?$/.exec(node) ?? [];
        const name = layer ? `${layer}/${label}` : label;
        modules.add(name);
        names.set(id, name);
      }
    } else if (from && to) arrows.push(...to.split(' & ').map((one) => [from, one] as const));
    else throw new TypeError(`The diagram has a line that this test cannot read: ${line}`);
  }
  const nameOf = (id: string) => {
    const name = names.get(id);
    if (name === undefined) throw new TypeError(`The diagram does not declare ${id}`);
    return name;
  };
  return { layers, modules, edges: arrows.map(([from, to]) => [nameOf(from), nameOf(to)] as const) };
}

const [, text = ''] = /^```mermaid\n(flowchart[\s\S]*?)^```$/m.exec(architecture) ?? [];
const diagram = parseDiagram(text);

/** The module of a source file; its layer, for a file that all modules of the layer share. */
function moduleOf(file: string): string {
  const [folder = '', name = '', ...rest] = file.split('/');
  if (name === '') return file === 'server.ts' ? 'server' : 'program';
  return diagram.layers.has(folder) && rest.length > 0 ? `${folder}/${name}` : folder;
}

/** Imports between modules, with the import that proves each. */
const imports = new Map<string, { readonly edge: Edge; readonly proof: string }>();
for (const file of sources) {
  const code = readFileSync(new URL(`src/${file}`, root), 'utf8');
  for (const [, specifier = ''] of code.matchAll(/(?:\bfrom|\bimport\(|\bimport) ?'(\.[^']+)'/g)) {
    const imported = posix.join(posix.dirname(file), specifier);
    const [from, to] = [moduleOf(file), moduleOf(imported)];
    if (from !== to) imports.set(`${from} -> ${to}`, { edge: [from, to], proof: `${file} imports ${imported}` });
  }
}

/** Everything that the diagram lets a module import. What holds for a layer holds for each of its modules. */
function allowedFor(start: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const todo = [start, layerOf(start)];
  for (const name of todo) {
    for (const [from, to] of diagram.edges) {
      if (from !== name || reached.has(to)) continue;
      reached.add(to).add(layerOf(to));
      todo.push(to, layerOf(to));
      if (!diagram.layers.has(to)) continue;
      const members = [...diagram.modules].filter((module) => layerOf(module) === to);
      for (const member of members) reached.add(member);
      todo.push(...members);
    }
  }
  return reached;
}

describe('the diagram of modules in ARCHITECTURE.md', () => {
  it('has every module of src, and no other', () => {
    const actual = new Set(sources.map(moduleOf).filter((name) => !diagram.layers.has(name)));
    expect([...diagram.modules].sort()).toEqual([...actual].sort());
  });

  it('allows every import between two modules', () => {
    // Files directly in the folder of a layer are common to its modules.
    const isInside = ([from, to]: Edge) =>
      layerOf(from) === layerOf(to) && (from === layerOf(from) || to === layerOf(to));
    const missing = [...imports.values()].filter(({ edge }) => !isInside(edge) && !allowedFor(edge[0]).has(edge[1]));
    expect(missing.map(({ proof }) => proof)).toEqual([]);
  });

  it('has no arrow without an import', () => {
    const isIn = (module: string, name: string) =>
      module === name || (diagram.layers.has(name) && layerOf(module) === name);
    const real = [...imports.values()].map(({ edge }) => edge);
    const unreal = diagram.edges.filter(([from, to]) => !real.some((edge) => isIn(edge[0], from) && isIn(edge[1], to)));
    expect(unreal).toEqual([]);
  });

  it('has no cycle', () => {
    const names = [...diagram.layers, ...diagram.modules];
    // From a module, its own layer is reached only by way of another one; its neighbours are no cycle.
    const importsItself = (name: string) =>
      [...allowedFor(name)].some((reached) => reached !== layerOf(name) && allowedFor(reached).has(name));
    expect(names.filter(importsItself)).toEqual([]);
  });
});
