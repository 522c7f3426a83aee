-- +goose Up
-- What package certs keeps: keys, certificates, accounts with certificate authorities. Values are sealed text.
CREATE TABLE certificates (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  changed_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE certificates;
