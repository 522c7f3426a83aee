package httpapi

import (
	"context"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
)

// signedIn is the part of every request that says who asks.
type signedIn struct {
	Authorization string `header:"Authorization" hidden:"true"`
}

type inOrganization struct {
	signedIn
	Organization string `path:"organization" maxLength:"64"`
}

type inProject struct {
	inOrganization
	Project string `path:"project" maxLength:"64"`
}

type inStage struct {
	inProject
	Stage string `path:"stage" maxLength:"64"`
}

type inApp struct {
	inStage
	App string `path:"app" maxLength:"64"`
}

func (in signedIn) token() string {
	scheme, token, _ := strings.Cut(in.Authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func (s *Server) user(ctx context.Context, in signedIn) (setops.User, error) {
	u, _, err := s.Sessions.CheckToken(ctx, in.token())
	return u, err
}

func (s *Server) session(ctx context.Context, in signedIn) (setops.User, time.Time, error) {
	return s.Sessions.CheckToken(ctx, in.token())
}

// stage finds the stage of a request for whoever may see it.
func (s *Server) stage(ctx context.Context, in inStage) (setops.User, setops.StageRef, error) {
	u, err := s.user(ctx, in.signedIn)
	if err != nil {
		return u, setops.StageRef{}, err
	}
	_, ref, err := s.Access.Stage(ctx, u, in.Organization, in.Project, in.Stage, auth.SeeStage)
	return u, ref, err
}

// app finds the app of a request.
func (s *Server) app(ctx context.Context, in inApp) (setops.User, setops.StageRef, *setops.App, error) {
	u, ref, err := s.stage(ctx, in.inStage)
	if err != nil {
		return u, ref, nil, err
	}
	a, err := s.Apps.App(ctx, ref, in.App)
	return u, ref, a, err
}
