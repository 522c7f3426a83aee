-- +goose Up
-- Times are milliseconds since 1970 in UTC. Ids are made by the server. JSON is text. Values of env are sealed text.

CREATE TABLE organizations (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
);

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE members (
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  PRIMARY KEY (organization_id, user_id)
);

CREATE TABLE tokens (
  hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE TABLE projects (
  id TEXT PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  UNIQUE (organization_id, name)
);

CREATE TABLE stages (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 0,
  destroying BOOLEAN NOT NULL DEFAULT FALSE,
  UNIQUE (project_id, name)
);

-- Who has which role; the scope is a project or a stage.
CREATE TABLE grants (
  scope_id TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  PRIMARY KEY (scope_id, user_id)
);

CREATE TABLE apps (
  stage_id TEXT NOT NULL REFERENCES stages (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  spec TEXT NOT NULL,
  PRIMARY KEY (stage_id, name)
);

CREATE TABLE releases (
  stage_id TEXT NOT NULL REFERENCES stages (id) ON DELETE CASCADE,
  app TEXT NOT NULL,
  id BIGINT NOT NULL,
  digest TEXT NOT NULL,
  tag TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (stage_id, app, id)
);

-- The last release id that was reserved, staged or committed.
CREATE TABLE release_ids (
  stage_id TEXT NOT NULL REFERENCES stages (id) ON DELETE CASCADE,
  app TEXT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (stage_id, app)
);

-- Sets of tasks: starting, serving or retiring. An app has at most one that serves.
CREATE TABLE generations (
  id TEXT PRIMARY KEY,
  stage_id TEXT NOT NULL REFERENCES stages (id) ON DELETE CASCADE,
  app TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  state TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX generations_serving ON generations (stage_id, app) WHERE state = 'serving';

-- A changeset is open, or frozen by a commit that runs. A user has at most one open one per stage.
CREATE TABLE changesets (
  id TEXT PRIMARY KEY,
  stage_id TEXT NOT NULL REFERENCES stages (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  frozen BOOLEAN NOT NULL DEFAULT FALSE,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX changesets_open ON changesets (stage_id, user_id) WHERE NOT frozen;

CREATE TABLE commands (
  changeset_id TEXT NOT NULL REFERENCES changesets (id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  arguments TEXT NOT NULL,
  PRIMARY KEY (changeset_id, position)
);

CREATE TABLE commits (
  id TEXT PRIMARY KEY,
  stage_id TEXT NOT NULL REFERENCES stages (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  changeset_id TEXT NOT NULL,
  commands TEXT NOT NULL,
  state TEXT NOT NULL,
  phase TEXT NOT NULL,
  passed BOOLEAN NOT NULL DEFAULT FALSE,
  failure TEXT,
  changeset_created_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT
);
CREATE UNIQUE INDEX commits_running ON commits (stage_id) WHERE state = 'running';

-- The journal: every step of a plan, written before it is run and after.
CREATE TABLE steps (
  commit_id TEXT NOT NULL REFERENCES commits (id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  step TEXT NOT NULL,
  after BOOLEAN NOT NULL,
  state TEXT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT,
  PRIMARY KEY (commit_id, position)
);
CREATE INDEX steps_state ON steps (after, state);

-- +goose Down
DROP TABLE steps;
DROP TABLE commits;
DROP TABLE commands;
DROP TABLE changesets;
DROP TABLE generations;
DROP TABLE release_ids;
DROP TABLE releases;
DROP TABLE apps;
DROP TABLE grants;
DROP TABLE stages;
DROP TABLE projects;
DROP TABLE tokens;
DROP TABLE members;
DROP TABLE users;
DROP TABLE organizations;
