-- +goose Up
-- Wrong passwords and codes, counted for all servers on the database. Of what was tried there is a hash only.
CREATE TABLE tries (
  hash TEXT PRIMARY KEY,
  wrong BIGINT NOT NULL,
  last_at BIGINT NOT NULL
);
CREATE INDEX tries_last ON tries (last_at);

-- +goose Down
DROP TABLE tries;
