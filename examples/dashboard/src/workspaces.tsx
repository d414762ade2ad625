import { useState } from 'react';
import { Comparison } from './comparison';
import { graphql } from './gql';
import type { WorkspacesQuery } from './gql/graphql';
import { Status } from './status';
import { useOperation } from './use-operation';

/** `id` is the key of an object in lists and caches. Arguments of other queries take its `uid`. */
const Workspaces = graphql(`
  query Workspaces {
    workspaces(first: 50) {
      totalCount
      nodes {
        id
        name
        visibility
        collections {
          totalCount
        }
        environments {
          nodes {
            id
            uid
            name
          }
        }
      }
    }
  }
`);

type Workspace = NonNullable<WorkspacesQuery['workspaces']>['nodes'][number];

/** All workspaces with their environments, and a comparison of two of these. */
export function WorkspacesPanels() {
  const operation = useOperation(Workspaces, {});
  const { nodes = [] } = operation.data?.workspaces ?? {};
  const missing = nodes.filter(({ environments }) => environments === null).length;
  const environments = nodes.flatMap((workspace) => workspace.environments?.nodes ?? []);

  const [chosen, setChosen] = useState({ left: '', right: '' });
  const { left = chosen.left || environments[0]?.uid, right = chosen.right || environments[1]?.uid } = {};
  return (
    <>
      <section aria-labelledby="workspaces">
        <h2 id="workspaces">Workspaces</h2>
        <Status operation={operation}>
          {operation.isRunning && 'Loading …'}
          {missing > 0 && `${missing} of ${nodes.length} workspaces are not read yet.`}
        </Status>
        <table>
          <thead>
            <tr>
              <th scope="col">Workspace</th>
              <th scope="col">Visibility</th>
              <th scope="col" className="number">
                Collections
              </th>
              <th scope="col">Environments</th>
            </tr>
          </thead>
          <tbody>
            {nodes.map((workspace) => (
              <tr key={workspace.id}>
                <th scope="row">{workspace.name}</th>
                <td>{workspace.visibility?.toLowerCase()}</td>
                <td className="number">{workspace.collections?.totalCount ?? '…'}</td>
                <td>{workspace.environments?.nodes.map(({ name }) => name).join(', ') ?? '…'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section aria-labelledby="environments">
        <h2 id="environments">Two environments</h2>
        <form>
          <EnvironmentChoice
            label="Left"
            workspaces={nodes}
            value={left}
            onChoose={(uid) => setChosen({ ...chosen, left: uid })}
          />
          <EnvironmentChoice
            label="Right"
            workspaces={nodes}
            value={right}
            onChoose={(uid) => setChosen({ ...chosen, right: uid })}
          />
        </form>
        {left && right && <Comparison key={`${left} ${right}`} left={left} right={right} />}
      </section>
    </>
  );
}

interface EnvironmentChoiceProps {
  readonly label: string;
  readonly workspaces: readonly Workspace[];
  readonly value: string | undefined;
  readonly onChoose: (uid: string) => void;
}

function EnvironmentChoice({ label, workspaces, value, onChoose }: EnvironmentChoiceProps) {
  return (
    <label>
      {label}{' '}
      <select value={value} onChange={(event) => onChoose(event.target.value)}>
        {workspaces.map(({ id, name, environments }) => (
          <optgroup key={id} label={name ?? ''}>
            {environments?.nodes.map(({ id, uid, name }) => (
              <option key={id} value={uid}>
                {name}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}
