// Package user lists, invites and removes users of projects and stages, and looks after service users. What a role allows is
// decided in package auth; how somebody signs in, too.
//
// Start with Service.Invite.
package user

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
)

// Store is what users need of the store.
type Store interface {
	auth.AccessStore
	Member(ctx context.Context, organization, email string) (u setops.User, ok bool, err error)
	Grants(ctx context.Context, scopeID string, now time.Time) ([]setops.Grant, error)
	AddGrant(ctx context.Context, scopeID string, u setops.User, role setops.Role, events ...setops.Event) error
	RemoveGrant(ctx context.Context, scopeID string, u setops.User, events ...setops.Event) (setops.Role, error)
	RemoveInvitation(ctx context.Context, scopeID, email string, events ...setops.Event) (role setops.Role, ok bool, err error)
	Organizations(ctx context.Context, userID string) ([]setops.Organization, error)
	ServiceUsers(ctx context.Context, organizationID string) ([]setops.ServiceUser, error)
	AddServiceUser(ctx context.Context, u setops.User, passwordHash, by, scopeID string, role setops.Role, now time.Time, events ...setops.Event) error
	ChangePassword(ctx context.Context, userID, passwordHash string, events ...setops.Event) error
	RemoveServiceUser(ctx context.Context, u setops.User, events ...setops.Event) error
	Scopes(ctx context.Context, userID string) ([]setops.Scope, error)
	OperatorStore
}

// Mailer sends an invitation to whom it is for. It takes some seconds at most.
type Mailer interface {
	Invite(ctx context.Context, i setops.Invitation, link string) error
}

// Service does it.
type Service struct {
	Store       Store
	Access      auth.Access
	Invitations *auth.Invitations
	Mailer      Mailer                    // nil: links are handed over by whoever invites
	Link        func(token string) string // gives where a token is accepted
	Now         func() time.Time
	Logger      *slog.Logger
}

// Place is where roles are given: a stage of a project, or the project where Stage is empty.
type Place struct{ Organization, Project, Stage string }

// actions are what is asked of a role to see and to manage the users of a place.
func (p Place) actions() (see, manage auth.Action) {
	if p.Stage == "" {
		return auth.SeeProjectUsers, auth.ManageProjectUsers
	}
	return auth.SeeStageUsers, auth.ManageStageUsers
}

// String names it in a sentence.
func (p Place) String() string {
	if p.Stage == "" {
		return "project " + p.Project
	}
	return "stage " + p.Stage + " of project " + p.Project
}

// find gives the id of a place for whoever may do that there.
func (s *Service) find(ctx context.Context, u setops.User, at Place, a auth.Action) (scopeID string, err error) {
	if at.Stage == "" {
		p, err := s.Access.Project(ctx, u, at.Organization, at.Project, a)
		return p.ID, err
	}
	st, _, err := s.Access.Stage(ctx, u, at.Organization, at.Project, at.Stage, a)
	return st.ID, err
}

// Users lists who has a role at a place, and who was invited, by address.
func (s *Service) Users(ctx context.Context, u setops.User, at Place) ([]setops.Grant, error) {
	see, _ := at.actions()
	scope, err := s.find(ctx, u, at, see)
	if err != nil {
		return nil, err
	}
	return s.Store.Grants(ctx, scope, s.Now())
}

// Invited is what came of inviting somebody.
type Invited struct {
	Email      string
	Role       setops.Role
	Invitation *setops.Invitation // nil: the role holds already
	Mailed     bool
	MailError  string // why it was not mailed though it should have been
}

// Invite gives somebody a role: at once where that is a user of the organization, else once an invitation with that id is accepted.
// A service user is named by its name. Inviting again who has not accepted yet makes a new link and voids the old one. Errors:
// ValidationFailed for email and role, CodePermissionAlreadyExist, CodeInsufficientPrivileges.
func (s *Service) Invite(ctx context.Context, by setops.User, at Place, email string, role setops.Role, id string, events ...setops.Event) (Invited, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	done := Invited{Email: email, Role: role}
	_, manage := at.actions()
	scope, err := s.find(ctx, by, at, manage)
	if err != nil {
		return done, err
	}
	if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckRole(role)); err != nil {
		return done, err
	}
	u, member, err := s.Store.Member(ctx, at.Organization, email)
	if err != nil {
		return done, err
	}
	if member {
		done.Email = u.Email
		return done, s.Store.AddGrant(ctx, scope, u, role, events...)
	}
	if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckEmail(email)); err != nil {
		return done, err
	}
	i := setops.Invitation{
		ID: id, Email: email, OrganizationID: by.OrganizationID, Organization: by.Organization, ScopeID: scope,
		Project: at.Project, Stage: at.Stage, Role: role, InvitedBy: by.Email,
	}
	if i, err = s.Invitations.Invite(ctx, i, events...); err != nil {
		return done, err
	}
	done.Invitation = &i
	s.mail(ctx, &done)
	return done, nil
}

// mail sends the link. That it cannot is no error: whoever invites gets the link then.
func (s *Service) mail(ctx context.Context, done *Invited) {
	if s.Mailer == nil {
		return
	}
	err := s.Mailer.Invite(ctx, *done.Invitation, s.Link(s.Invitations.Token(done.Invitation.ID)))
	if done.Mailed = err == nil; !done.Mailed {
		s.Logger.Error("mail an invitation", "email", done.Email, "error", err)
		done.MailError = err.Error()
	}
}

// Remove takes somebody's role at a place away, or withdraws an invitation, and gives the role. Errors: ValidationFailed for the
// email, CodePermissionDoesNotExist, CodeCantRemoveLastAdmin, CodeInsufficientPrivileges.
func (s *Service) Remove(ctx context.Context, by setops.User, at Place, email string, events ...setops.Event) (setops.Grant, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	gone := setops.Grant{Email: email}
	_, manage := at.actions()
	scope, err := s.find(ctx, by, at, manage)
	if err != nil {
		return gone, err
	}
	u, member, err := s.Store.Member(ctx, at.Organization, email)
	if err != nil {
		return gone, err
	}
	if member {
		gone.Email, gone.Service = u.Email, u.Service
		gone.Role, err = s.Store.RemoveGrant(ctx, scope, u, events...)
		if !setops.IsCode(err, setops.CodePermissionDoesNotExist) {
			return gone, err
		}
	} else if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckEmail(email)); err != nil {
		return gone, err
	}
	role, ok, withdrawn := s.Store.RemoveInvitation(ctx, scope, email, events...)
	if ok {
		gone.Role, gone.Invited = role, true
		return gone, nil
	}
	if !member && withdrawn == nil {
		err = setops.Refuse(setops.CodePermissionDoesNotExist, "%s has no role on %s; `setops user` lists who has one", email, at)
	}
	return gone, errors.Join(err, withdrawn)
}

// Organizations lists those that somebody belongs to.
func (s *Service) Organizations(ctx context.Context, u setops.User) ([]setops.Organization, error) {
	return s.Store.Organizations(ctx, u.ID)
}
