-- +goose Up
-- A service user is no person: its e-mail address is NAME@ORGANIZATION, and no person is invited by such a one.
ALTER TABLE users ADD COLUMN service BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN created_by TEXT NOT NULL DEFAULT '';

-- Whether a member is an admin of the organization itself. Until now whoever came first was the one who had set it up.
ALTER TABLE members ADD COLUMN admin BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE members SET admin = TRUE WHERE NOT EXISTS (
  SELECT 1 FROM members m JOIN users a ON a.id = m.user_id JOIN users b ON b.id = members.user_id
  WHERE m.organization_id = members.organization_id AND (a.created_at < b.created_at OR (a.created_at = b.created_at AND a.id < b.id))
);

-- Who was invited and has not accepted yet. The scope is a project, a stage or the organization. Of the token there is a hash only.
CREATE TABLE invitations (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  scope_id TEXT NOT NULL,
  email TEXT NOT NULL,
  role TEXT NOT NULL,
  invited_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  UNIQUE (scope_id, email)
);

-- Who did what. Names stay readable when what they named is gone; who may read a line is decided by the ids.
CREATE TABLE audit (
  id TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  project_id TEXT NOT NULL,
  project TEXT NOT NULL,
  stage_id TEXT NOT NULL,
  stage TEXT NOT NULL,
  who TEXT NOT NULL,
  action TEXT NOT NULL,
  what TEXT NOT NULL,
  address TEXT NOT NULL,
  times BIGINT NOT NULL
);
CREATE INDEX audit_organization ON audit (organization_id, at);
CREATE INDEX audit_project ON audit (project_id, at);
CREATE INDEX audit_stage ON audit (stage_id, at);
CREATE INDEX audit_at ON audit (at);

-- +goose Down
DROP TABLE audit;
DROP TABLE invitations;
ALTER TABLE members DROP COLUMN admin;
ALTER TABLE users DROP COLUMN created_by;
ALTER TABLE users DROP COLUMN service;
