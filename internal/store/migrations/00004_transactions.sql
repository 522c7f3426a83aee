-- +goose Up
-- A commit waits for its turn (queued), runs under a lease of the process that owns it, and ends as done, failed or cancelled.
-- The fence is the number of the lease: it grows with each, and whoever has an older one is not obeyed any more.
ALTER TABLE stages ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN destroying BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE commits ADD COLUMN message TEXT NOT NULL DEFAULT '';
ALTER TABLE commits ADD COLUMN plan_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE commits ADD COLUMN reverts TEXT NOT NULL DEFAULT '';
ALTER TABLE commits ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE commits ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE commits ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE commits ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE commits ADD COLUMN queue_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE commits ADD COLUMN started_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE commits ADD COLUMN cancelled_by TEXT NOT NULL DEFAULT '';
-- The apps that the commit changed, as they were and as it made them: JSON of name → app with its releases.
ALTER TABLE commits ADD COLUMN before_apps TEXT NOT NULL DEFAULT '{}';
ALTER TABLE commits ADD COLUMN after_apps TEXT NOT NULL DEFAULT '{}';
-- The order of a stage's queue and history.
ALTER TABLE commits ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
CREATE INDEX commits_stage ON commits (stage_id, position);
-- Of all that there ever were, few have not ended.
CREATE INDEX commits_state ON commits (state);

-- The commit that a changeset was staged to revert, as long as nothing else is in it.
ALTER TABLE changesets ADD COLUMN reverts TEXT NOT NULL DEFAULT '';

-- When a release became the active one, for the last time.
ALTER TABLE releases ADD COLUMN activated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE releases ADD COLUMN activated_by TEXT NOT NULL DEFAULT '';

-- Images of destroyed apps are removed by clean-up now, not by commits.
UPDATE steps SET state = 'done' WHERE after AND step LIKE '%"kind":"remove images"%';

-- +goose Down
DROP INDEX commits_state;
DROP INDEX commits_stage;
ALTER TABLE releases DROP COLUMN activated_by;
ALTER TABLE releases DROP COLUMN activated_at;
ALTER TABLE changesets DROP COLUMN reverts;
ALTER TABLE commits DROP COLUMN position;
ALTER TABLE commits DROP COLUMN after_apps;
ALTER TABLE commits DROP COLUMN before_apps;
ALTER TABLE commits DROP COLUMN cancelled_by;
ALTER TABLE commits DROP COLUMN started_at;
ALTER TABLE commits DROP COLUMN queue_until;
ALTER TABLE commits DROP COLUMN lease_until;
ALTER TABLE commits DROP COLUMN fence;
ALTER TABLE commits DROP COLUMN owner;
ALTER TABLE commits DROP COLUMN version;
ALTER TABLE commits DROP COLUMN reverts;
ALTER TABLE commits DROP COLUMN plan_hash;
ALTER TABLE commits DROP COLUMN message;
ALTER TABLE projects DROP COLUMN destroying;
ALTER TABLE stages DROP COLUMN fence;
