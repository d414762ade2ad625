import { toVariables } from '../../upstream/collection-format/fields/variables.ts';
import { environmentRoute, environmentsRoute } from '../../upstream/postman/resources/environments.ts';
import { workspaceRoute, workspacesRoute } from '../../upstream/postman/resources/workspaces.ts';
import { createCarriedBy, toGet } from '../planning/carried-by.ts';
import { addChildType, fromRead, fromSummary } from './child-type.ts';
import { connectionType } from '../paging/connection.ts';
import { orderInput } from '../paging/list-order.ts';
import { workspaceOf } from '../planning/lookup.ts';
import { childRefs, NodeRef, WorkspaceRef } from '../refs.ts';
import { VariableRef } from '../tree/variable.ts';

const carriedBy = createCarriedBy('Environment', {
  'summary detail':
    `nothing if \`values\` or \`valueCount\` is selected too; otherwise, in a list, one ${toGet(environmentsRoute)}, ` +
    `and for a single environment one ${toGet(environmentRoute)}`,
  detail: `one ${toGet(environmentRoute)} per environment, shared by \`values\` and \`valueCount\``,
});

const notInRefs = ['summary', 'detail'] as const;
const summary = fromSummary('Environment', notInRefs);
const read = fromRead('Environment', ['detail']);

childRefs.Environment.implement({
  description: 'A Postman environment: a named set of variables that requests are sent with.',
  interfaces: [NodeRef],
  fields: (t) => ({
    isPublic: t.boolean({
      nullable: true,
      ...carriedBy(notInRefs, 'Whether everyone can see the environment; null when Postman does not say.'),
      resolve: summary(({ isPublic }) => isPublic),
    }),
    values: t.field({
      type: [VariableRef],
      nullable: true,
      ...carriedBy(
        ['detail'],
        'Variables of the environment with their shared values. Values that a person stores only locally in ' +
          'the Postman app are not included. Values of secrets are withheld unless the server is configured to ' +
          'reveal them. null only when the environment cannot be read.',
      ),
      resolve: read(({ values }) => toVariables(values)),
    }),
    valueCount: t.int({
      nullable: true,
      ...carriedBy(
        ['detail'],
        'How many variables `values` has, disabled ones and secrets included. null only when the environment ' +
          'cannot be read.',
      ),
      resolve: read(({ values }) => toVariables(values).length),
    }),
    workspace: t.field({
      type: WorkspaceRef,
      nullable: true,
      ...carriedBy(
        ['dedicated'],
        'The workspace that holds the environment. If several do, the first that Postman lists. null when the key ' +
          'sees no such workspace.\n' +
          'Cost: nothing if the contents of the workspaces are known; otherwise, one `GET /workspaces` for every 100 ' +
          'workspaces, and one `GET /environments?workspace=` or `GET /workspaces/{id}` for each of them up to the one ' +
          'that holds the environment.',
        [workspacesRoute.template, workspaceRoute.template, environmentsRoute.template],
      ),
      resolve: workspaceOf('Environment'),
    }),
  }),
});

addChildType('Environment', {
  noun: 'environment',
  carriedBy,
  lookUpCost: `one ${toGet(environmentRoute)}`,
});

/** GraphQL type `EnvironmentConnection`. */
export const EnvironmentConnection = connectionType('Environment', childRefs.Environment, 'environments');

/** GraphQL input `EnvironmentOrder`. */
export const EnvironmentOrder = orderInput('Environment', 'environments');
