-- +goose Up
-- What is true of the whole installation, as which key its values are sealed with.
CREATE TABLE installation (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- +goose Down
DROP TABLE installation;
