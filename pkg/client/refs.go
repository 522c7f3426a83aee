package client

import (
	"net/url"

	"github.com/setopsco/setops/pkg/api"
)

// ProjectRef names a project of an organization.
type ProjectRef struct{ Organization, Project string }

// StageRef names a stage.
type StageRef struct {
	ProjectRef
	Stage string
}

// AppRef names an app.
type AppRef struct {
	StageRef
	App string
}

func (r ProjectRef) path() string { return api.ProjectPath(r.Organization, r.Project) }

func (r StageRef) path() string { return api.StagePath(r.Organization, r.Project, r.Stage) }

func (r StageRef) commits() string { return r.path() + "/commits" }

func (r StageRef) commit(id string) string { return r.commits() + "/" + url.PathEscape(id) }

func (r AppRef) path() string { return r.StageRef.path() + "/apps/" + url.PathEscape(r.App) }

func (r AppRef) tasks() string { return r.path() + "/tasks" }

func (r AppRef) task(id string) string { return r.tasks() + "/" + url.PathEscape(id) }
