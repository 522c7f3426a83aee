package httpapi

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

// AuditLog remembers who did what.
type AuditLog interface {
	// Record adds an event, unless it is there already; Complete makes one that is written in the transaction of what it tells of.
	Record(ctx context.Context, e setops.Event)
	Complete(e setops.Event) setops.Event
	Events(ctx context.Context, q setops.EventQuery) ([]setops.Event, error)
}

// placed is a request about a project or a stage, or about none.
type placed interface {
	place() (project, stage string)
}

// eventOf begins the event of a request: who, and where. The ids of what is destroyed are known only before.
func (s *Server) eventOf(ctx context.Context, u setops.User, in any) setops.Event {
	e := setops.Event{OrganizationID: u.OrganizationID, Who: u.Email}
	if p, ok := in.(placed); ok {
		e.Project, e.Stage = p.place()
		s.locate(ctx, &e)
	}
	return e
}

// locate finds the ids that an event has no more than names of. What is not there is found by nobody.
func (s *Server) locate(ctx context.Context, e *setops.Event) {
	if e.Project != "" && e.ProjectID == "" {
		if p, ok, err := s.Access.Store.Project(ctx, e.OrganizationID, e.Project); err == nil && ok {
			e.ProjectID = p.ID
		}
	}
	if e.Stage != "" && e.ProjectID != "" && e.StageID == "" {
		if st, ok, err := s.Access.Store.Stage(ctx, e.ProjectID, e.Stage); err == nil && ok {
			e.StageID = st.ID
		}
	}
}

// record writes down what was done, where that is not done yet: what changes the store alone is written with the change. A request
// that comes again has the event that it had.
func (s *Server) record(ctx context.Context, r idempotency.Request, out any) {
	for _, e := range r.Events(out) {
		s.locate(ctx, &e)
		s.Audit.Record(ctx, e)
	}
}

// event is the one place that decides what the audit log says of a request, begun by eventOf. out is nil where it is not answered yet.
func (s *Server) event(e setops.Event, r idempotency.Request, op huma.Operation, in, out any) (setops.Event, bool) {
	e.ID = r.ID
	if !r.Keyed() {
		e.ID = r.NewID
	}
	switch in.(type) { // what is made has its id before it is there
	case newProject:
		e.ProjectID = cmp.Or(e.ProjectID, r.NewID)
	case newStage:
		e.StageID = cmp.Or(e.StageID, r.NewID)
	}
	e.Action, e.What = strings.ReplaceAll(op.OperationID, "-", " "), subject(r, in, out)
	return s.Audit.Complete(e), !isIdle(in, out)
}

// isIdle reports a request that only looked, and an answer that says that nothing was to be done.
func isIdle(in, out any) bool {
	if apply, ok := in.(definitionToApply); ok && apply.Body.Preview {
		return true
	}
	switch out := out.(type) {
	case *answer[api.AppliedDefinition]:
		return len(out.Body.Commands) == 0
	case *answer[api.Deployed]:
		return out.Body.Commit == nil
	}
	return false
}

// subject says in a few words what a request was about, besides its place. It must hold no value of env, no password, no token, and
// nothing that somebody has typed freely.
func subject(r idempotency.Request, in, out any) string {
	switch in := in.(type) {
	case commandsToStage:
		staged, _ := out.(*answer[api.Staged])
		return commandsIn(in.Body.Commands, staged)
	case commandToRemove:
		if removed, ok := out.(*answer[api.Removed]); ok {
			return removed.Body.Command.Name
		}
	case commitToStart:
		return r.NewID
	case imageToDeploy:
		return strings.Join([]string{in.App, r.NewID}, " ")
	case definitionToApply:
		if in.Commit {
			return "commit " + r.NewID
		}
	case commitToCancel:
		return in.ID
	case commitToRevert:
		return in.ID
	case taskToRun:
		if t, ok := out.(*answer[api.Task]); ok {
			return in.App + " " + t.Body.ID + in.interactively()
		}
	case taskToStop:
		return in.App + " " + in.ID
	case interface{ subject() string }:
		return in.subject()
	}
	return ""
}

// interactively names the program that somebody types into.
func (in taskToRun) interactively() string {
	if in.Body.Interactive == nil {
		return ""
	}
	return ": " + programIn(slices.Concat(in.Body.Entrypoint, in.Body.Arguments))
}

// plainName is that of a program: a line for a shell, which may hold a password, is none.
var plainName = regexp.MustCompile(`^[\w./+-]{1,200}$`)

// programIn names the program of a command line, and nothing else of it.
func programIn(argv []string) string {
	switch {
	case len(argv) == 0:
		return "the app's own program"
	case !plainName.MatchString(argv[0]):
		return "a command line"
	}
	return argv[0]
}

// commandsIn names each command with its app, and the variable that it is about.
func commandsIn(commands []api.Command, staged *answer[api.Staged]) string {
	parts := make([]string, 0, len(commands))
	for i, c := range commands {
		part := c.Name
		if staged != nil && i < len(staged.Body.Effects) {
			e := staged.Body.Effects[i]
			part = strings.TrimSpace(strings.Join([]string{c.Name, e.Name, e.EnvKey}, " "))
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// EventRange chooses events of the audit log.
type EventRange struct {
	Limit  int       `query:"limit" default:"250" minimum:"1" maximum:"9999" doc:"The newest so many"`
	After  time.Time `query:"after" doc:"Only events after this moment"`
	Before time.Time `query:"before" doc:"Only events before this moment"`
}

type organizationEvents struct {
	InOrganization
	EventRange
}

type projectEvents struct {
	InProject
	EventRange
}

type stageEvents struct {
	InStage
	EventRange
}

func (s *Server) auditRoutes(h huma.API) {
	add(s, h, get(organization+"/audit", "read-organization-audit", "Read the audit log of an organization, as one of its admins"), s.readOrganizationAudit)
	add(s, h, get(projects+"/{project}/audit", "read-project-audit", "Read the audit log of a project and its stages"), s.readProjectAudit)
	add(s, h, get(stage+"/audit", "read-stage-audit", "Read the audit log of a stage"), s.readStageAudit)
}

func (s *Server) readOrganizationAudit(ctx context.Context, in *organizationEvents) (*answer[api.EventList], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	if err := auth.OrganizationAdmin(u, in.Organization, "read the audit log of an organization"); err != nil {
		return nil, err
	}
	return s.readEvents(ctx, in.EventRange, setops.EventQuery{OrganizationID: u.OrganizationID})
}

func (s *Server) readProjectAudit(ctx context.Context, in *projectEvents) (*answer[api.EventList], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	p, err := s.Access.Project(ctx, u, in.Organization, in.Project, auth.ReadProjectAudit)
	if err != nil {
		return nil, err
	}
	return s.readEvents(ctx, in.EventRange, setops.EventQuery{ProjectID: p.ID})
}

func (s *Server) readStageAudit(ctx context.Context, in *stageEvents) (*answer[api.EventList], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	st, _, err := s.Access.Stage(ctx, u, in.Organization, in.Project, in.Stage, auth.ReadStageAudit)
	if err != nil {
		return nil, err
	}
	return s.readEvents(ctx, in.EventRange, setops.EventQuery{StageID: st.ID})
}

func (s *Server) readEvents(ctx context.Context, r EventRange, q setops.EventQuery) (*answer[api.EventList], error) {
	q.After, q.Before, q.Limit = r.After, r.Before, r.Limit
	all, err := s.Audit.Events(ctx, q)
	list := api.EventList{Events: make([]api.Event, 0, len(all))}
	for _, e := range all {
		list.Events = append(list.Events, api.Event{
			At: e.At, Who: e.Who, Action: e.Action, Project: e.Project, Stage: e.Stage, What: e.What, Address: e.Address, Times: e.Times,
		})
	}
	return answered(list), err
}
