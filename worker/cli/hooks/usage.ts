import { ADAPTERS } from '#producer/webhooks/index.ts';

export const HOOKS_USAGE = `
Usage: attestry hooks setup SOURCE [--config FILE] [--url URL] [--show-secret] [--json]
       attestry hooks test SOURCE [--config FILE] [--url URL] [--image IMAGE [--enqueue]] [--json]
       attestry hooks deliveries [--source ID] [--refused] [--since TIME] [--until TIME] [--limit N] [--json]
       attestry hooks show ID [--config FILE] [--json]
       attestry hooks replay (--id ID... | --since TIME [--until TIME] [--source ID]) [--unauthenticated] [--dry-run]
       attestry hooks parse SENDER --headers FILE --body FILE [--assume FILE | --config FILE --source ID]
                            [--clock TIME] [--json]
       attestry hooks parse --delivery ID [--config FILE] [--json]

setup        prints what to paste on the registry's side for a source of the configuration, and how to check that it
             arrives. The name of a sender that is not configured yet prints what to begin with on both sides
test         sends a sample through the door of the running producer, proved as the sender proves it, and says what it
             would enqueue; nothing is enqueued. Samples of ecr-sns and gar, which only Amazon and Google can sign, are
             read here and not sent
deliveries   lists what was kept: refused deliveries, or what producer.deliveries.keep says; newest first
show         one of them whole, what it was answered, and what it would do today
replay       takes kept deliveries again, oldest first: what was accepted before is skipped as duplicate
parse        says what a stored delivery would enqueue or skip, and why. From files it needs no Redis, registry or
             configuration

  --config FILE      default: $ATTESTRY_CONFIG, else attestry.yaml; parse SENDER: take what --assume says from it
  --url URL          what stands before /hooks. Default: producer.url, else instance.url; test: else producer.listen
  --show-secret      setup: print secrets, and not where they are
  --image IMAGE      test: REPOSITORY:TAG@DIGEST of the sample
  --enqueue          test: as a real delivery
  --source ID        of these sources only
  --refused          deliveries: those that were refused in whole or in part
  --since, --until   ISO 8601, or how long ago: 30m, 6h, 2d
  --limit N          deliveries: at most so many; default 50
  --id ID            replay: this one; may be given several times
  --unauthenticated  replay: also what nobody knows the sender of; believe it no more than an open door
  --dry-run          replay: say what would be enqueued
  --json             print JSON

Of parse:
  SENDER           ${senderLines()}
  --headers FILE   { "method", "headers", "query", "auth", "clock" } as JSON, or an object of header names and values;
                   may be left out for messages of a queue. "auth" is what the receiver is configured with, e.g.
                   { "kind": "bearer", "value": "…" }; without it the authentication reads not-checked. Certificates
                   and keys are read from its "certFile" or "jwksFile", beside this file; nothing is fetched
  --body FILE      the body, byte for byte; may be left out for OPTIONS
  --assume FILE    what to take for granted, as JSON: { "registryHost", "allowedHosts", "digestOnly", "ownDigests" } and
                   what the sender's source is configured with: "repositories", "repoKeyMap", "topicArn", "topic",
                   "audience", "email", "allowedOrigins"; or a sample's whole expectation, which holds it as "assume".
                   Without it and --config every registry host counts as bound to the source
  --clock TIME     ISO 8601: when the delivery arrives; the clock of --headers when absent
  --delivery ID    one that was kept, in the place of files
  --json           print { sender, authentication, response, enqueue, skipped }

Exit: 0 done, whatever was decided; 1 test: the door is not open for it; 2 could not; 64 usage.
`;

/** The senders, broken into lines of the width of this text. */
function senderLines(): string {
  const lines = [''];
  for (const { id } of ADAPTERS) {
    const line = lines.at(-1) ?? '';
    if (line.length + id.length > 100) lines.push(id);
    else lines[lines.length - 1] = line === '' ? id : `${line}, ${id}`;
  }
  return lines.join(`,\n${' '.repeat(19)}`);
}
