-- +goose Up
-- Validated custom domains: one app on the whole server has each. It follows from the specs, and is written with them.
CREATE TABLE domains (
  name TEXT PRIMARY KEY,
  stage_id TEXT NOT NULL REFERENCES stages (id) ON DELETE CASCADE,
  app TEXT NOT NULL
);
CREATE INDEX domains_stage ON domains (stage_id);

-- The router's ports of public tcp apps.
CREATE TABLE tcp_ports (
  port BIGINT PRIMARY KEY,
  stage_id TEXT NOT NULL REFERENCES stages (id) ON DELETE CASCADE,
  app TEXT NOT NULL,
  UNIQUE (stage_id, app)
);

-- +goose Down
DROP TABLE tcp_ports;
DROP TABLE domains;
