package auth

import (
	"context"

	"github.com/setopsco/setops/internal/setops"
)

// Action is something that a role may allow.
type Action string

// The actions of the role table.
const (
	SeeProject     Action = "see project"
	SeeStage       Action = "see stage" // and change its apps
	CreateStage    Action = "create stage"
	DestroyStage   Action = "destroy stage"
	DestroyProject Action = "destroy project"

	SeeProjectUsers    Action = "see the users of project"
	ManageProjectUsers Action = "manage the users of project"
	SeeStageUsers      Action = "see the users of stage"
	ManageStageUsers   Action = "manage the users of stage"
	ReadProjectAudit   Action = "read the audit log of project"
	ReadStageAudit     Action = "read the audit log of stage"
)

// Actions are all of them.
func Actions() []Action {
	return []Action{
		SeeProject, SeeStage, CreateStage, DestroyStage, DestroyProject, SeeProjectUsers, ManageProjectUsers, SeeStageUsers, ManageStageUsers,
		ReadProjectAudit, ReadStageAudit,
	}
}

// Allowed is the role table: what the roles of somebody on a project and on one of its stages allow, "" being no role.
// A stage's row counts only for that stage. The rule: behaviour reference, "Roles".
func Allowed(a Action, onProject, onStage setops.Role) bool {
	switch a {
	case SeeProject:
		return onProject != "" || onStage != ""
	case SeeStage, SeeStageUsers:
		return onProject != "" || onStage != ""
	case SeeProjectUsers:
		return onProject != ""
	case CreateStage, DestroyProject, ManageProjectUsers, ReadProjectAudit:
		return onProject == setops.Admin
	case DestroyStage, ManageStageUsers, ReadStageAudit:
		return onProject == setops.Admin || onStage == setops.Admin
	}
	return false
}

// AccessStore is what access checks need of the store.
type AccessStore interface {
	Roles(ctx context.Context, userID string) (map[string]setops.Role, error)
	Project(ctx context.Context, organizationID, name string) (setops.Project, bool, error)
	Stage(ctx context.Context, projectID, name string) (setops.Stage, bool, error)
	Stages(ctx context.Context, projectID string) ([]setops.Stage, error)
}

// Access finds projects and stages for somebody and refuses what their roles do not allow. What somebody may not see
// does not exist for them.
type Access struct{ Store AccessStore }

// Project gives a project that the user may see and may do a with. Errors: OrganizationDoesNotExist,
// ProjectDoesNotExist, InsufficientPrivileges.
func (c Access) Project(ctx context.Context, u setops.User, organization, name string, a Action) (setops.Project, error) {
	p, roles, err := c.project(ctx, u, organization, name)
	if err != nil {
		return p, err
	}
	onStage, err := c.onAnyStage(ctx, p, roles)
	if err != nil {
		return p, err
	}
	if !Allowed(SeeProject, roles[p.ID], onStage) {
		return p, noProject(name)
	}
	if !Allowed(a, roles[p.ID], "") && a != SeeProject {
		return p, insufficient(a, "project "+name)
	}
	return p, nil
}

// Stage gives a stage that the user may see and may do a with. Errors: OrganizationDoesNotExist, ProjectDoesNotExist,
// StageDoesNotExist, InsufficientPrivileges.
func (c Access) Stage(ctx context.Context, u setops.User, organization, project, name string, a Action) (setops.Stage, setops.StageRef, error) {
	p, roles, err := c.project(ctx, u, organization, project)
	if err != nil {
		return setops.Stage{}, setops.StageRef{}, err
	}
	s, ok, err := c.Store.Stage(ctx, p.ID, name)
	if err != nil {
		return s, setops.StageRef{}, err
	}
	ref := setops.StageRef{ID: s.ID, Organization: organization, Project: project, Name: name}
	switch {
	case ok && !Allowed(SeeStage, roles[p.ID], roles[s.ID]), !ok:
		onStage, err := c.onAnyStage(ctx, p, roles)
		if err != nil {
			return s, ref, err
		}
		if !Allowed(SeeProject, roles[p.ID], onStage) {
			return s, ref, noProject(project)
		}
		return s, ref, setops.Refuse(setops.StageDoesNotExist,
			"there is no stage %q in project %s, or you may not see it; `setops -p %s stage` lists those you may see", name, project, project)
	case !Allowed(a, roles[p.ID], roles[s.ID]):
		return s, ref, insufficient(a, "stage "+name)
	}
	return s, ref, nil
}

// VisibleStages leaves out the stages that the user may not see.
func (c Access) VisibleStages(ctx context.Context, u setops.User, p setops.Project) ([]setops.Stage, error) {
	roles, err := c.Store.Roles(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	all, err := c.Store.Stages(ctx, p.ID)
	visible := make([]setops.Stage, 0, len(all))
	for _, s := range all {
		if Allowed(SeeStage, roles[p.ID], roles[s.ID]) {
			visible = append(visible, s)
		}
	}
	return visible, err
}

func (c Access) project(ctx context.Context, u setops.User, organization, name string) (setops.Project, map[string]setops.Role, error) {
	if err := SameOrganization(u, organization); err != nil {
		return setops.Project{}, nil, err
	}
	p, ok, err := c.Store.Project(ctx, u.OrganizationID, name)
	if err != nil {
		return p, nil, err
	}
	if !ok {
		return p, nil, noProject(name)
	}
	roles, err := c.Store.Roles(ctx, u.ID)
	return p, roles, err
}

// SameOrganization refuses an organization that the user is not signed in to.
func SameOrganization(u setops.User, organization string) error {
	if u.Organization == organization {
		return nil
	}
	return setops.Refuse(setops.OrganizationDoesNotExist,
		"there is no organization %q that you are signed in to; you are in %s", organization, u.Organization)
}

// onAnyStage gives a role that somebody has on some stage of the project: enough to see the project.
func (c Access) onAnyStage(ctx context.Context, p setops.Project, roles map[string]setops.Role) (setops.Role, error) {
	if roles[p.ID] != "" {
		return "", nil
	}
	stages, err := c.Store.Stages(ctx, p.ID)
	for _, s := range stages {
		if roles[s.ID] != "" {
			return roles[s.ID], err
		}
	}
	return "", err
}

// ManageAll refuses whoever does not manage the users of every scope that somebody has a role on. An admin of the organization
// manages everybody; where there is no scope nobody else does.
func (c Access) ManageAll(ctx context.Context, u setops.User, whom string, scopes []setops.Scope) error {
	if u.Admin {
		return nil
	}
	roles, err := c.Store.Roles(ctx, u.ID)
	if err != nil {
		return err
	}
	all := len(scopes) > 0
	for _, s := range scopes {
		a := ManageStageUsers
		if s.StageID == "" {
			a = ManageProjectUsers
		}
		all = all && Allowed(a, roles[s.ProjectID], roles[s.StageID])
	}
	if !all {
		return setops.Refuse(setops.CodeInsufficientPrivileges,
			"you may not manage %s: it is for an admin of every project and stage where it has a role, or an admin of the organization %s", whom, u.Organization)
	}
	return nil
}

// OrganizationAdmin refuses whoever is no admin of the organization itself.
func OrganizationAdmin(u setops.User, organization, what string) error {
	if err := SameOrganization(u, organization); err != nil {
		return err
	}
	if u.Admin {
		return nil
	}
	return setops.Refuse(setops.CodeInsufficientPrivileges, "you may not %s: only admins of the organization %s may; ask one of them", what, organization)
}

func noProject(name string) error {
	return setops.Refuse(setops.ProjectDoesNotExist,
		"there is no project %q, or you may not see it; `setops project` lists those you may see", name)
}

func insufficient(a Action, of string) error {
	return setops.Refuse(setops.CodeInsufficientPrivileges, "you may not %s: your role on %s does not allow it; ask one of its admins", a, of)
}
