-- +goose Up
-- What a definition has staged is for one version of its stage, and is dropped where its commit fails.
ALTER TABLE changesets ADD COLUMN applied_to BIGINT;
ALTER TABLE commits ADD COLUMN applied_to BIGINT;

-- +goose Down
ALTER TABLE commits DROP COLUMN applied_to;
ALTER TABLE changesets DROP COLUMN applied_to;
