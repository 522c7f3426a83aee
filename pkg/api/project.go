package api

import "time"

// Project is a namespace for stages.
type Project struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
}

// Stage is a self-contained environment of a project.
type Stage struct {
	Name         string    `json:"name"`
	CreatedAt    time.Time `json:"created_at"`
	CreatedBy    string    `json:"created_by"`
	LogRetention int       `json:"log_retention,omitempty" doc:"Days that lines of logs are kept; where one stage is shown"`
}

// NewName is the body that creates a project or a stage.
type NewName struct {
	Name string `json:"name"`
}
