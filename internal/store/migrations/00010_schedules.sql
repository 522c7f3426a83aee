-- +goose Up
-- What belongs to a stage and to none of its apps, as JSON: for how long its logs are kept. A commit keeps how it was and how it
-- made it.
ALTER TABLE stages ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE commits ADD COLUMN before_settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE commits ADD COLUMN after_settings TEXT NOT NULL DEFAULT '{}';

-- The committed schedules of apps. What is due before `since` was not committed yet; what is due until `due` was seen to.
CREATE TABLE schedules (
  stage_id TEXT NOT NULL REFERENCES stages (id) ON DELETE CASCADE,
  app TEXT NOT NULL,
  name TEXT NOT NULL,
  since BIGINT NOT NULL,
  due BIGINT NOT NULL DEFAULT 0,
  last_run TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (stage_id, app, name)
);

-- +goose Down
DROP TABLE schedules;
ALTER TABLE commits DROP COLUMN after_settings;
ALTER TABLE commits DROP COLUMN before_settings;
ALTER TABLE stages DROP COLUMN settings;
