package user

import (
	"context"
	"strings"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
)

// ServiceUsers lists the service users of an organization, by name.
func (s *Service) ServiceUsers(ctx context.Context, u setops.User, organization string) ([]setops.ServiceUser, error) {
	if err := auth.SameOrganization(u, organization); err != nil {
		return nil, err
	}
	return s.Store.ServiceUsers(ctx, u.OrganizationID)
}

// CreateServiceUser makes a service user with a role at a place. Its password is Password(id). Errors: ValidationFailed for name
// and role, also where the name is taken; CodeInsufficientPrivileges.
func (s *Service) CreateServiceUser(ctx context.Context, by setops.User, at Place, name string, role setops.Role, id string, events ...setops.Event) (setops.User, error) {
	u := setops.User{
		ID: id, Email: setops.ServiceEmail(name, at.Organization), Service: true, OrganizationID: by.OrganizationID, Organization: by.Organization,
	}
	_, manage := at.actions()
	scope, err := s.find(ctx, by, at, manage)
	if err != nil {
		return u, err
	}
	problems := append(setops.CheckServiceName(name), setops.CheckRole(role)...)
	if err := setops.InvalidInput(setops.ValidationFailed, problems); err != nil {
		return u, err
	}
	hash, err := s.Invitations.HashOf(ctx, id)
	if err != nil {
		return u, err
	}
	return u, s.Store.AddServiceUser(ctx, u, hash, by.Email, scope, role, s.Now(), events...)
}

// Password is what was generated for a service user under an id.
func (s *Service) Password(id string) string { return s.Invitations.Password(id) }

// RenewPassword gives a service user Password(id), and makes the old one and all its tokens worthless. Errors: as
// DestroyServiceUser.
func (s *Service) RenewPassword(ctx context.Context, by setops.User, organization, name, id string, events ...setops.Event) (setops.User, error) {
	u, err := s.serviceUser(ctx, by, organization, name)
	if err != nil {
		return u, err
	}
	hash, err := s.Invitations.HashOf(ctx, id)
	if err != nil {
		return u, err
	}
	return u, s.Store.ChangePassword(ctx, u.ID, hash, events...)
}

// DestroyServiceUser removes a service user with its roles and tokens. Errors: ValidationFailed for a name that is not there;
// CodeInsufficientPrivileges; CodeCantRemoveLastAdmin.
func (s *Service) DestroyServiceUser(ctx context.Context, by setops.User, organization, name string, events ...setops.Event) (setops.User, error) {
	u, err := s.serviceUser(ctx, by, organization, name)
	if err != nil {
		return u, err
	}
	return u, s.Store.RemoveServiceUser(ctx, u, events...)
}

// serviceUser finds one for whoever may manage it: an admin of the organization, or who manages the users of every place where it
// has a role. Nobody takes away by it what others rely on.
func (s *Service) serviceUser(ctx context.Context, by setops.User, organization, name string) (setops.User, error) {
	if err := auth.SameOrganization(by, organization); err != nil {
		return setops.User{}, err
	}
	u, ok, err := s.Store.Member(ctx, organization, strings.ToLower(strings.TrimSpace(name)))
	if err != nil {
		return u, err
	}
	if !ok || !u.Service {
		return u, setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{
			Field: "name", Validator: setops.NotFound, Message: "there is no service user of that name; `setops service-user` lists them",
		}})
	}
	scopes, err := s.Store.Scopes(ctx, u.ID)
	if err != nil {
		return u, err
	}
	return u, s.Access.ManageAll(ctx, by, u.Email, scopes)
}
