package api

import (
	"encoding/json"
	"time"
)

// Changeset is the list of commands that a user has staged on a stage.
type Changeset struct {
	CreatedAt time.Time       `json:"created_at"`
	Commands  []StagedCommand `json:"commands"`
}

// StagedCommand is a command as it is stored. Values of env are not among its arguments.
type StagedCommand struct {
	Name      string         `json:"name"`
	Arguments map[string]any `json:"arguments"`
}

// Command is a command to stage.
type Command struct {
	Name      string          `json:"name" doc:"For example app:release:create"`
	Arguments json.RawMessage `json:"arguments" doc:"An object; see the page of the command for its fields"`
}

// Arguments are the fields of one kind of command.
type Arguments interface{ CommandName() string }

// NewCommand makes the command that a describes.
func NewCommand(a Arguments) (Command, error) {
	raw, err := json.Marshal(a)
	return Command{Name: a.CommandName(), Arguments: raw}, err
}

// StageCommands stages commands together, all or none: POST …/changeset/commands.
type StageCommands struct {
	Commands []Command `json:"commands" minItems:"1" maxItems:"1000"`
}

// Staged is the answer: for each command, in order, the values that stand once the changeset is committed.
type Staged struct {
	Effects []Effect `json:"effects"`
}

// Effect is what a staged command sets; only the fields that it touches are there.
type Effect struct {
	Name           string       `json:"name,omitempty" doc:"The app"`
	Command        *[]string    `json:"command,omitempty"`
	Entrypoint     *[]string    `json:"entrypoint,omitempty"`
	HealthCheck    *HealthCheck `json:"health_check,omitempty"`
	HealthCheckOff bool         `json:"health_check_off,omitempty" doc:"The container health check was unset"`
	StartTimeout   *int         `json:"start_timeout,omitempty"`
	StopTimeout    *int         `json:"stop_timeout,omitempty"`
	CPU            *int         `json:"cpu,omitempty"`
	Memory         *int         `json:"memory,omitempty"`
	Scale          *int         `json:"scale,omitempty"`
	Protocol       *string      `json:"protocol,omitempty"`
	Public         *bool        `json:"public,omitempty"`
	Port           *int         `json:"port,omitempty"`
	HealthPath     *string      `json:"health_check_path,omitempty"`
	HealthStatus   *string      `json:"health_check_status,omitempty"`
	EnvKey         string       `json:"env_key,omitempty"`
	Secret         bool         `json:"secret,omitempty" doc:"The variable is secret, by this command or by an earlier one"`
	ReleaseID      int          `json:"release_id,omitempty" doc:"The id that is reserved for the new release, or the one to activate"`
	Digest         string       `json:"digest,omitempty"`

	Schedule          *Schedule `json:"schedule,omitempty" doc:"That was created"`
	ScheduleDestroyed string    `json:"schedule_destroyed,omitempty"`
	LogRetention      *int      `json:"log_retention,omitempty" doc:"Days, of the stage"`

	CustomDomain      *CustomDomain `json:"custom_domain,omitempty"`
	Primary           *bool         `json:"primary,omitempty" doc:"Option of the custom domain"`
	StaticIP          *bool         `json:"static_ip,omitempty" doc:"Option of the custom domain"`
	RedirectToPrimary *bool         `json:"redirect_to_primary,omitempty" doc:"Option of the custom domain"`

	FormerPrimary string `json:"former_primary,omitempty" doc:"The domain that is not the primary one any more"`
}

// Discarded is the answer of DELETE …/changeset.
type Discarded struct {
	Commands int `json:"commands" doc:"How many commands were dropped"`
}
