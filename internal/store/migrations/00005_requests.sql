-- +goose Up
-- Requests that were done and may come again, since their answer can get lost: see package idempotency. The answer is JSON
-- without a secret; the digest is keyed, as requests hold values of env.
CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  answer TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX requests_created ON requests (created_at);

-- +goose Down
DROP TABLE requests;
