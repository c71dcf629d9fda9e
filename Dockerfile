# Attestry runs its TypeScript sources as they are: nothing is built, the packages are the locked ones.
FROM node:24.21.0-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional packages are the Node binaries for hosts with an older Node; this image is Node 24 itself.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
 && npm cache clean --force

FROM node:24.21.0-slim
LABEL org.opencontainers.image.title="attestry" \
      org.opencontainers.image.description="Signed evidence for every image pushed to a registry, and notice when it lapses." \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    ATTESTRY_CONFIG=/etc/attestry/attestry.yaml \
    ATTESTRY_HEALTH_PORT=8080
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json package-lock.json LICENSE ./
COPY bin ./bin
COPY scripts/setup ./scripts/setup
COPY config ./config
COPY producer ./producer
COPY worker ./worker
COPY deploy/compose/prepare.ts ./deploy/compose/prepare.ts
# Mount points that belong to the unprivileged user; the rest of the file system may be read-only.
RUN mkdir -p /etc/attestry /var/lib/attestry/signing /var/lib/attestry/intake /var/lib/attestry/registry \
 && chown -R 1000:1000 /var/lib/attestry
USER 1000:1000
# producer and serve; a worker alone listens on 9464: set ATTESTRY_HEALTH_PORT accordingly
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ATTESTRY_HEALTH_PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/attestry.mjs"]
CMD ["serve"]
