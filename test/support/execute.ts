import * as graphql from 'graphql';

const { experimentalExecuteIncrementally } = graphql as object as {
  readonly experimentalExecuteIncrementally?: typeof graphql.execute;
};

/** graphql's own executor. That of graphql 17 refuses a schema with `@defer` and `@stream`, but for this form of it. */
export const execute = experimentalExecuteIncrementally ?? graphql.execute;
