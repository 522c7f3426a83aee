package httpapi

import (
	"context"
	"strings"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
)

// The scopes of requests are exported, though only this package uses them: huma reads no fields that are embedded by an
// unexported name.

// SignedIn is the part of every request that says who asks.
type SignedIn struct {
	Authorization string `json:"-" header:"Authorization" hidden:"true"`
}

// InOrganization is a request about an organization.
type InOrganization struct {
	SignedIn
	Organization string `path:"organization" maxLength:"64"`
}

// InProject is a request about a project.
type InProject struct {
	InOrganization
	Project string `path:"project" maxLength:"64"`
}

// InStage is a request about a stage.
type InStage struct {
	InProject
	Stage string `path:"stage" maxLength:"64"`
}

// InApp is a request about an app.
type InApp struct {
	InStage
	App string `path:"app" maxLength:"64"`
}

// place gives the names of what a request is about, for the audit log.
func (in InOrganization) place() (project, stage string) { return "", "" }

func (in InProject) place() (project, stage string) { return in.Project, "" }

func (in InStage) place() (project, stage string) { return in.Project, in.Stage }

func (in SignedIn) token() string {
	scheme, token, _ := strings.Cut(in.Authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func (s *Server) user(ctx context.Context, in SignedIn) (setops.User, error) {
	u, _, err := s.Sessions.CheckToken(ctx, in.token())
	return u, err
}

// stage finds the stage of a request for whoever may see it.
func (s *Server) stage(ctx context.Context, in InStage) (setops.User, setops.StageRef, error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return u, setops.StageRef{}, err
	}
	_, ref, err := s.Access.Stage(ctx, u, in.Organization, in.Project, in.Stage, auth.SeeStage)
	return u, ref, err
}

// app finds the app of a request.
func (s *Server) app(ctx context.Context, in InApp) (setops.User, setops.StageRef, *setops.App, error) {
	u, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return u, ref, nil, err
	}
	a, err := s.Apps.App(ctx, ref, in.App)
	return u, ref, a, err
}
