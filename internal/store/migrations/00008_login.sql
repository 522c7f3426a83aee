-- +goose Up
-- A session is what can be listed and ended; its tokens go with it. Times that are 0 are never. Tokens that are older than
-- sessions are taken for those of service users: nothing can renew them.
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL DEFAULT 0,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
INSERT INTO sessions (id, user_id, organization_id, kind, name, created_at, expires_at)
  SELECT substr(hash, 1, 12), user_id, organization_id, 'service', '', created_at, expires_at FROM tokens;

ALTER TABLE tokens ADD COLUMN session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE;
ALTER TABLE tokens ADD COLUMN kind TEXT NOT NULL DEFAULT 'access';
ALTER TABLE tokens ADD COLUMN spent_at BIGINT NOT NULL DEFAULT 0;
UPDATE tokens SET session_id = substr(hash, 1, 12);
CREATE INDEX tokens_session ON tokens (session_id);

-- Programs that wait for a person to sign them in: RFC 8628.
CREATE TABLE devices (
  hash TEXT PRIMARY KEY,
  user_code TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  poll_interval BIGINT NOT NULL,
  polled_at BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  denied BOOLEAN NOT NULL DEFAULT FALSE,
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE,
  session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE INDEX devices_expiry ON devices (expires_at);

-- +goose Down
DROP TABLE devices;
DROP INDEX tokens_session;
ALTER TABLE tokens DROP COLUMN spent_at;
ALTER TABLE tokens DROP COLUMN kind;
ALTER TABLE tokens DROP COLUMN session_id;
DROP TABLE sessions;
