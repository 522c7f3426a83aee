package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/user"
	"github.com/setopsco/setops/pkg/api"
)

const (
	organizations = "/v1/organizations"
	organization  = organizations + "/{organization}"
	serviceUsers  = organization + "/service-users"
)

// peopleRoutes are those about users, organizations and the audit log.
func (s *Server) peopleRoutes(h huma.API) {
	open(s, h, post(api.AcceptInvitationPath, "accept-invitation", "Accept an invitation", http.StatusOK), s.acceptInvitation)

	add(s, h, post(api.SwitchPath, "switch-organization", "Change to another organization, with a new session", http.StatusCreated), s.switchOrganization)
	add(s, h, get(organizations, "list-organizations", "List the organizations one belongs to"), s.listOrganizations)

	add(s, h, get(projects+"/{project}/users", "list-project-users", "List who has a role on a project"), s.listProjectUsers)
	change(s, h, post(projects+"/{project}/users", "invite-project-user", "Give somebody a role on a project", http.StatusCreated),
		afterwards(s, s.inviteProjectUser), s.addLink)
	change(s, h, remove(projects+"/{project}/users/{email}", "remove-project-user", "Take somebody's role on a project away", http.StatusOK),
		afterwards(s, s.removeProjectUser))
	add(s, h, get(stage+"/users", "list-stage-users", "List who has a role on a stage"), s.listStageUsers)
	change(s, h, post(stage+"/users", "invite-stage-user", "Give somebody a role on a stage", http.StatusCreated),
		afterwards(s, s.inviteStageUser), s.addLink)
	change(s, h, remove(stage+"/users/{email}", "remove-stage-user", "Take somebody's role on a stage away", http.StatusOK),
		afterwards(s, s.removeStageUser))

	s.serviceUserRoutes(h)
	s.auditRoutes(h)
}

type organizationToSwitchTo struct {
	SignedIn
	Body api.SwitchOrganization
}

// switchOrganization is not remembered by a key, as its answer holds tokens: where it got lost one signs in anew.
func (s *Server) switchOrganization(ctx context.Context, in *organizationToSwitchTo) (*answer[api.Session], error) {
	g, err := s.Sessions.Switch(ctx, in.token(), in.Body.Organization)
	if err != nil {
		return nil, err
	}
	session := wireSession(g.Session, g.ExpiresAt)
	session.Token, session.RefreshToken = g.Token, g.Refresh
	return answered(session), nil
}

func (s *Server) listOrganizations(ctx context.Context, in *SignedIn) (*answer[api.OrganizationList], error) {
	u, err := s.user(ctx, *in)
	if err != nil {
		return nil, err
	}
	all, err := s.Users.Organizations(ctx, u)
	list := api.OrganizationList{Organizations: make([]api.Organization, 0, len(all))}
	for _, o := range all {
		list.Organizations = append(list.Organizations, api.Organization{Name: o.Name, Admin: o.Admin, Current: o.ID == u.OrganizationID})
	}
	return answered(list), err
}

func (s *Server) listProjectUsers(ctx context.Context, in *InProject) (*answer[api.UserList], error) {
	return s.listUsers(ctx, in.SignedIn, user.Place{Organization: in.Organization, Project: in.Project})
}

func (s *Server) listStageUsers(ctx context.Context, in *InStage) (*answer[api.UserList], error) {
	return s.listUsers(ctx, in.SignedIn, user.Place{Organization: in.Organization, Project: in.Project, Stage: in.Stage})
}

func (s *Server) listUsers(ctx context.Context, in SignedIn, at user.Place) (*answer[api.UserList], error) {
	u, err := s.user(ctx, in)
	if err != nil {
		return nil, err
	}
	grants, err := s.Users.Users(ctx, u, at)
	list := api.UserList{Users: make([]api.User, 0, len(grants))}
	for _, g := range grants {
		list.Users = append(list.Users, wireUser(g))
	}
	return answered(list), err
}

func wireUser(g setops.Grant) api.User {
	return api.User{Email: g.Email, Role: string(g.Role), ServiceUser: g.Service, Invited: g.Invited}
}

type projectUserToInvite struct {
	InProject
	Changing
	Body api.NewUser
}

type stageUserToInvite struct {
	InStage
	Changing
	Body api.NewUser
}

func (in projectUserToInvite) subject() string { return in.Body.Email + " " + in.Body.Role }

func (in stageUserToInvite) subject() string { return in.Body.Email + " " + in.Body.Role }

func (s *Server) inviteProjectUser(ctx context.Context, r idempotency.Request, in *projectUserToInvite) (*answer[api.Invited], error) {
	return s.invite(ctx, r, in.SignedIn, user.Place{Organization: in.Organization, Project: in.Project}, in.Body)
}

func (s *Server) inviteStageUser(ctx context.Context, r idempotency.Request, in *stageUserToInvite) (*answer[api.Invited], error) {
	return s.invite(ctx, r, in.SignedIn, user.Place{Organization: in.Organization, Project: in.Project, Stage: in.Stage}, in.Body)
}

// invite answers without the link, which is as good as a password: addLink adds it.
func (s *Server) invite(ctx context.Context, r idempotency.Request, in SignedIn, at user.Place, body api.NewUser) (*answer[api.Invited], error) {
	u, err := s.user(ctx, in)
	if err != nil {
		return nil, err
	}
	done, err := s.Users.Invite(ctx, u, at, body.Email, setops.Role(body.Role), r.NewID, r.Events(nil)...)
	if err != nil {
		return nil, err
	}
	wire := api.Invited{Email: done.Email, Role: string(done.Role), Mailed: done.Mailed, MailError: done.MailError}
	if i := done.Invitation; i != nil {
		wire.Invited, wire.ExpiresAt = true, &i.ExpiresAt
	}
	return answered(wire), nil
}

func (s *Server) addLink(r idempotency.Request, out *answer[api.Invited]) {
	if out.Body.Invited && !out.Body.Mailed {
		out.Body.Link = s.Users.Link(s.Invitations.Token(r.NewID))
	}
}

type projectUserToRemove struct {
	InProject
	Changing
	Email string `path:"email" maxLength:"254"`
}

type stageUserToRemove struct {
	InStage
	Changing
	Email string `path:"email" maxLength:"254"`
}

func (in projectUserToRemove) subject() string { return in.Email }

func (in stageUserToRemove) subject() string { return in.Email }

func (s *Server) removeProjectUser(ctx context.Context, r idempotency.Request, in *projectUserToRemove) (*answer[api.User], error) {
	return s.removeUser(ctx, r, in.SignedIn, user.Place{Organization: in.Organization, Project: in.Project}, in.Email)
}

func (s *Server) removeStageUser(ctx context.Context, r idempotency.Request, in *stageUserToRemove) (*answer[api.User], error) {
	return s.removeUser(ctx, r, in.SignedIn, user.Place{Organization: in.Organization, Project: in.Project, Stage: in.Stage}, in.Email)
}

func (s *Server) removeUser(ctx context.Context, r idempotency.Request, in SignedIn, at user.Place, email string) (*answer[api.User], error) {
	u, err := s.user(ctx, in)
	if err != nil {
		return nil, err
	}
	gone, err := s.Users.Remove(ctx, u, at, email, r.Events(nil)...)
	if err != nil {
		return nil, err
	}
	return answered(wireUser(gone)), nil
}
