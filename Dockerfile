# One image for the server and the commands. Build: docker build -t penstock .
FROM node:24-slim

# git fetches sources; bubblewrap keeps build commands apart from the server and from each other.
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap ca-certificates git \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Node is in the base image already, so the optional platform packages of Node stay out.
RUN npm ci --omit=dev --omit=optional --ignore-scripts
COPY app.yml LICENSE ./
COPY migrations migrations
COPY src src
# A new embedded database, ready to be unpacked: without it the first start of each volume computes for seconds.
RUN node src/db/prepare-embedded.ts

# Database, artifacts and logs live here: mount a volume, and set DATABASE_URL for more than one replica.
RUN mkdir /data && chown node:node /data
USER node
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 PENSTOCK_HOME=/data
VOLUME /data
EXPOSE 3000

HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]

# Not npm: it would keep SIGTERM for itself, and running actions would not be ended in order.
CMD ["node", "src/cli.ts", "serve"]
