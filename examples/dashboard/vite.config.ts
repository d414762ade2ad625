import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv } from 'vite';

/**
 * The page sends its queries to `/graphql` of its own origin, and Vite passes them on to the server. In production the
 * web server that serves the page does the same, so the page needs no address and the server no CORS_ORIGINS.
 */
export default defineConfig(({ mode }) => {
  const { POSTMAN_GRAPHQL_ORIGIN = 'http://127.0.0.1:4000' } = loadEnv(mode, '.', 'POSTMAN_GRAPHQL_');
  const proxy = { '/graphql': { target: POSTMAN_GRAPHQL_ORIGIN, changeOrigin: true } };
  return { plugins: [react()], server: { proxy }, preview: { proxy } };
});
