import type { CodegenConfig } from '@graphql-codegen/cli';

/** Types of the documents in src, for GraphQL Code Generator. The schema could as well be the address of a running server. */
const config: CodegenConfig = {
  schema: '../schema/schema.graphql',
  documents: 'src/*.ts',
  importExtension: '.js',
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false, persistedDocuments: true },
      config: {
        documentMode: 'string',
        useTypeImports: true,
        strictScalars: true,
        scalars: { DateTime: 'string', JSON: 'unknown' },
      },
    },
  },
};
export default config;
