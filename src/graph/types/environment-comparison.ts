import {
  type ComparedVariable,
  type ComparisonState,
  compareVariables,
} from '../../upstream/collection-format/fields/compare-variables.ts';
import { toVariables } from '../../upstream/collection-format/fields/variables.ts';
import { type EnvironmentDetail, environmentRoute } from '../../upstream/postman/resources/environments.ts';
import { builder } from '../builder.ts';
import { toGet } from '../planning/carried-by.ts';
import { declareRoutes } from '../planning/declare-routes.ts';
import { parseIdentifier } from '../planning/identifiers.ts';
import { childRefs } from '../refs.ts';
import { VariableRef } from '../tree/variable.ts';

/** Two environments, and the comparison of their variables. */
interface EnvironmentComparison {
  readonly left: EnvironmentDetail;
  readonly right: EnvironmentDetail;
  readonly variables: readonly ComparedVariable[];
}

const ComparisonStateEnum = builder.enumType('ComparisonState', {
  description: 'How two environments compare in one variable.',
  values: {
    EQUAL: {
      value: 'equal',
      description: 'Both have the variable with the same value, and both enable or both disable it.',
    },
    DIFFERENT: {
      value: 'different',
      description: 'Both have the variable, but its values differ, or only one of them enables it.',
    },
    NOT_COMPARED: {
      value: 'notCompared',
      description:
        'Both have the variable, but it is not known or not said whether its values are equal: a vault stores one of ' +
        'them, or one is withheld and the other one is shown, so that being equal would reveal the withheld one.',
    },
    ONLY_LEFT: { value: 'onlyLeft', description: 'Only the left environment has the variable.' },
    ONLY_RIGHT: { value: 'onlyRight', description: 'Only the right environment has the variable.' },
  } as const satisfies Record<string, { readonly value: ComparisonState; readonly description: string }>,
});

const VariableComparisonRef = builder.objectRef<ComparedVariable>('VariableComparison').implement({
  description: 'One variable in two environments.',
  fields: (t) => ({
    key: t.exposeString('key', {
      nullable: true,
      description: 'Name of the variable; null when it has none.',
    }),
    state: t.expose('state', {
      type: ComparisonStateEnum,
      nullable: false,
      description: 'Whether both environments have the variable, and whether it is the same in both.',
    }),
    isValueEqual: t.exposeBoolean('isValueEqual', {
      nullable: true,
      description:
        'Whether the values are equal as `text`, also where both are withheld: the server compares them without ' +
        'returning them. null when only one environment has the variable, and when the values are not compared, as ' +
        'for `NOT_COMPARED`.',
    }),
    left: t.expose('left', {
      type: VariableRef,
      nullable: true,
      description: 'The variable in the left environment; null when it has none of this key.',
    }),
    right: t.expose('right', {
      type: VariableRef,
      nullable: true,
      description: 'The variable in the right environment; null when it has none of this key.',
    }),
  }),
});

const toNode = ({ uid, name }: EnvironmentDetail) => ({ uid, known: { uid, name } });

const EnvironmentComparisonRef = builder.objectRef<EnvironmentComparison>('EnvironmentComparison').implement({
  description: 'Two environments side by side.',
  fields: (t) => ({
    left: t.field({
      type: childRefs.Environment,
      nullable: false,
      description: 'The environment `leftUid`. Its fields cost nothing in addition.',
      resolve: ({ left }) => toNode(left),
    }),
    right: t.field({
      type: childRefs.Environment,
      nullable: false,
      description: 'The environment `rightUid`. Its fields cost nothing in addition.',
      resolve: ({ right }) => toNode(right),
    }),
    variables: t.field({
      type: [VariableComparisonRef],
      nullable: false,
      description:
        'The variables of both environments by key: in the order of the left one, then those that only the right one ' +
        'has. If a key occurs several times, the first one on the left is compared with the first one on the right, ' +
        'and so on.',
      args: {
        states: t.arg({
          type: [ComparisonStateEnum],
          description: 'Only variables in one of these states. Default: all.',
        }),
      },
      resolve: ({ variables }, { states }) => {
        if (!states) return variables;
        const requested: ReadonlySet<ComparisonState> = new Set(states);
        return variables.filter(({ state }) => requested.has(state));
      },
    }),
  }),
});

builder.queryField('compareEnvironments', (t) =>
  t.field({
    type: EnvironmentComparisonRef,
    nullable: true,
    description:
      'Two environments side by side: which variables only one of them has, and which have different values, also of ' +
      'secrets, whose values stay withheld. null when one of the environments does not exist or the key may not see ' +
      `it.\nCost: one ${toGet(environmentRoute)} for each of the two.`,
    extensions: { ...declareRoutes(environmentRoute.template).extensions, likelyCalls: 2 },
    args: {
      leftUid: t.arg.id({ required: true, description: 'Uid of the left environment.' }),
      rightUid: t.arg.id({ required: true, description: 'Uid of the right environment.' }),
    },
    resolve: async (_root, { leftUid, rightUid }, { loaders, resultSize, revealSecrets }) => {
      const uids = [parseIdentifier(leftUid, 'leftUid'), parseIdentifier(rightUid, 'rightUid')];
      const [left, right] = await Promise.all(
        uids.map(
          (uid) =>
            loaders.childByUid({ type: 'Environment', uid, levels: ['detail'] }) as Promise<EnvironmentDetail | null>,
        ),
      );
      if (!left || !right) return null;
      const [ofLeft, ofRight] = [toVariables(left.values), toVariables(right.values)];
      resultSize.search(ofLeft.length + ofRight.length);
      return { left, right, variables: compareVariables(ofLeft, ofRight, revealSecrets) };
    },
  }),
);
