package user

import (
	"context"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// What the operator of the server does: the methods here ask for no role, as whoever may call them has the whole database.

// OperatorStore is what the operator needs of the store.
type OperatorStore interface {
	AddOrganization(ctx context.Context, id, name string, now time.Time) (have string, err error)
	OrganizationNamed(ctx context.Context, name string) (id string, ok bool, err error)
	AllOrganizations(ctx context.Context) ([]setops.Organization, error)
	Members(ctx context.Context, organizationID string, now time.Time) ([]setops.Grant, error)
	PasswordOf(ctx context.Context, email string) (u setops.User, passwordHash string, ok bool, err error)
	Join(ctx context.Context, organizationID, userID string, admin bool) error
	Leave(ctx context.Context, organizationID, email string) (setops.Grant, error)
}

// AllOrganizations lists all that there are, by name.
func (s *Service) AllOrganizations(ctx context.Context) ([]setops.Organization, error) {
	return s.Store.AllOrganizations(ctx)
}

// CreateOrganization makes an organization. Errors: ValidationFailed, CodeOrganizationAlreadyExists.
func (s *Service) CreateOrganization(ctx context.Context, name, id string) (setops.Organization, error) {
	o := setops.Organization{ID: id, Name: name}
	if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckOrganizationName(name)); err != nil {
		return o, err
	}
	have, err := s.Store.AddOrganization(ctx, id, name, s.Now())
	if err == nil && have != id {
		err = setops.Refuse(setops.OrganizationAlreadyExists, "there is an organization %q already; choose another name", name)
	}
	return o, err
}

// Members lists who belongs to an organization, and who was invited to it, by address. Errors: OrganizationDoesNotExist.
func (s *Service) Members(ctx context.Context, organization string) ([]setops.Grant, error) {
	id, err := s.organization(ctx, organization)
	if err != nil {
		return nil, err
	}
	return s.Store.Members(ctx, id, s.Now())
}

// Admit makes somebody a member or an admin of an organization: at once where the address has an account, else once an invitation
// with that id is accepted. Errors: OrganizationDoesNotExist, ValidationFailed.
func (s *Service) Admit(ctx context.Context, organization, email string, role setops.Role, id string) (Invited, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	done := Invited{Email: email, Role: role}
	if err := setops.InvalidInput(setops.ValidationFailed, append(setops.CheckEmail(email), setops.CheckRole(role)...)); err != nil {
		return done, err
	}
	organizationID, err := s.organization(ctx, organization)
	if err != nil {
		return done, err
	}
	u, _, known, err := s.Store.PasswordOf(ctx, email)
	if err != nil {
		return done, err
	}
	if known {
		return done, s.Store.Join(ctx, organizationID, u.ID, role == setops.Admin)
	}
	i, err := s.Invitations.Invite(ctx, setops.Invitation{
		ID: id, Email: email, OrganizationID: organizationID, Organization: organization, ScopeID: organizationID, Role: role,
	})
	if err != nil {
		return done, err
	}
	done.Invitation = &i
	s.mail(ctx, &done)
	return done, nil
}

// Dismiss takes somebody out of an organization, with all roles and invitations there; the account goes with its last organization.
// Errors: OrganizationDoesNotExist, CodePermissionDoesNotExist, CodeCantRemoveLastAdmin where a project or a stage would be without.
func (s *Service) Dismiss(ctx context.Context, organization, email string) (setops.Grant, error) {
	id, err := s.organization(ctx, organization)
	if err != nil {
		return setops.Grant{}, err
	}
	return s.Store.Leave(ctx, id, strings.ToLower(strings.TrimSpace(email)))
}

func (s *Service) organization(ctx context.Context, name string) (id string, err error) {
	id, ok, err := s.Store.OrganizationNamed(ctx, name)
	if err == nil && !ok {
		err = setops.Refuse(setops.OrganizationDoesNotExist, "there is no organization %q; `setopsd organization` lists those that there are", name)
	}
	return id, err
}
