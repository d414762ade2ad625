import { useState } from 'react';
import { graphql } from './gql';
import type { ComparisonState } from './gql/graphql';
import { Status } from './status';
import { useOperation } from './use-operation';

/** As schema/operations/16-compare-environments.graphql, with the equal variables. */
const CompareEnvironments = graphql(`
  query CompareEnvironments($left: ID!, $right: ID!) {
    compareEnvironments(leftUid: $left, rightUid: $right) {
      left {
        id
        name
      }
      right {
        id
        name
      }
      variables {
        key
        state
        left {
          ...Side
        }
        right {
          ...Side
        }
      }
    }
  }

  fragment Side on Variable {
    text
    enabled
    isMasked
  }
`);

interface Side {
  readonly text: string | null;
  readonly enabled: boolean | null;
  readonly isMasked: boolean;
}

const states: Readonly<Record<ComparisonState, string>> = {
  EQUAL: '= equal',
  DIFFERENT: '≠ different',
  NOT_COMPARED: '? not compared',
  ONLY_LEFT: '← only left',
  ONLY_RIGHT: '→ only right',
};

/** The variables of two environments side by side. Withheld values are compared by the server, and not shown. */
export function Comparison({ left, right }: { left: string; right: string }) {
  const operation = useOperation(CompareEnvironments, { left, right });
  const [showsEqual, setShowsEqual] = useState(true);
  const comparison = operation.data?.compareEnvironments;
  const variables = comparison?.variables.filter(({ state }) => showsEqual || state !== 'EQUAL') ?? [];
  return (
    <>
      <Status operation={operation}>
        {operation.isRunning && 'Comparing …'}
        {comparison && `${variables.length} of ${comparison.variables.length} variables.`}
        {comparison === null && operation.problems.length === 0 && 'One of these environments no longer exists.'}
      </Status>
      <label>
        <input type="checkbox" checked={showsEqual} onChange={(event) => setShowsEqual(event.target.checked)} /> Show
        equal variables
      </label>
      <table>
        <thead>
          <tr>
            <th scope="col">Variable</th>
            <th scope="col">{comparison?.left.name ?? 'Left'}</th>
            <th scope="col">{comparison?.right.name ?? 'Right'}</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {variables.map(({ key, state, left, right }, index) => (
            // A key may occur several times in an environment.
            <tr key={index} className={state.toLowerCase()}>
              <th scope="row">{key}</th>
              <Value side={left} />
              <Value side={right} />
              <td className="state">{states[state]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Value({ side }: { side: Side | null }) {
  if (!side) return <td className="none">–</td>;
  return (
    <td>
      {side.isMasked ? (
        <em>withheld</em>
      ) : side.text ? (
        <code>{side.text}</code>
      ) : (
        <em>{side.text === '' ? 'empty' : 'no value'}</em>
      )}
      {side.enabled === false && <small> (disabled)</small>}
    </td>
  );
}
