# The server as an image: docker build -t postman-graphql .
# It holds no secret; they come as variables or as files (POSTMAN_API_KEY_FILE, ACCESS_TOKEN_FILE) when it is run.
ARG NODE_IMAGE=docker.io/library/node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY scripts scripts
RUN node scripts/ready.mjs
COPY . .
RUN npm run build && node scripts/prepare.mjs
# An image has the optional packages, too, and nothing that is for development.
RUN node scripts/image-manifest.mjs && npm prune --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 NODE_OPTIONS=--max-old-space-size=768
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE /app/THIRD-PARTY-LICENCES.txt ./
COPY --from=build /app/node_modules node_modules
# The program with the packages that it imports, the files of GraphiQL, and the operations of its tabs.
COPY --from=build /app/dist/src/main.js dist/src/main.js
COPY --from=build /app/dist/src/chunks/*.js dist/src/chunks/
COPY --from=build /app/dist/src/graphiql/served dist/src/graphiql/served
COPY --from=build /app/schema/operations schema/operations
# The user that the base image has for this, by its number, so that Kubernetes sees that it is not root.
USER 1000:1000
EXPOSE 4000
# Metrics, if METRICS_PORT is set to it.
EXPOSE 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
