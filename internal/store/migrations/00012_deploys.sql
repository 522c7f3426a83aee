-- +goose Up
-- The commands of a deploy are never staged: they come with its commit, and go with it.
ALTER TABLE commits ADD COLUMN unstaged BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE commits DROP COLUMN unstaged;
