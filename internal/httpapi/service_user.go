package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/user"
	"github.com/setopsco/setops/pkg/api"
)

func (s *Server) serviceUserRoutes(h huma.API) {
	add(s, h, get(serviceUsers, "list-service-users", "List the service users of an organization"), s.listServiceUsers)
	change(s, h, post(projects+"/{project}/service-users", "create-project-service-user", "Create a service user with a role on a project", http.StatusCreated),
		afterwards(s, s.createProjectServiceUser), s.addPassword)
	change(s, h, post(stage+"/service-users", "create-stage-service-user", "Create a service user with a role on a stage", http.StatusCreated),
		afterwards(s, s.createStageServiceUser), s.addPassword)
	change(s, h, post(serviceUsers+"/{name}/password", "renew-service-user-password",
		"Give a service user a new password; the old one and all its tokens are worthless then", http.StatusOK),
		afterwards(s, s.renewServiceUserPassword), s.addPassword)
	change(s, h, remove(serviceUsers+"/{name}", "destroy-service-user", "Remove a service user with its roles and tokens"),
		afterwards(s, s.destroyServiceUser))
}

func (s *Server) listServiceUsers(ctx context.Context, in *InOrganization) (*answer[api.ServiceUserList], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	all, err := s.Users.ServiceUsers(ctx, u, in.Organization)
	list := api.ServiceUserList{ServiceUsers: make([]api.ServiceUser, 0, len(all))}
	for _, one := range all {
		list.ServiceUsers = append(list.ServiceUsers, api.ServiceUser{
			Name: nameOf(one.Email), Email: one.Email, CreatedAt: one.CreatedAt, CreatedBy: one.CreatedBy,
		})
	}
	return answered(list), err
}

// nameOf is what a service user is called inside its organization.
func nameOf(email string) string {
	name, _, _ := strings.Cut(email, "@")
	return name
}

type projectServiceUser struct {
	InProject
	Changing
	Body api.NewServiceUser
}

type stageServiceUser struct {
	InStage
	Changing
	Body api.NewServiceUser
}

func (in projectServiceUser) subject() string { return in.Body.Name + " " + in.Body.Role }

func (in stageServiceUser) subject() string { return in.Body.Name + " " + in.Body.Role }

func (s *Server) createProjectServiceUser(ctx context.Context, r idempotency.Request, in *projectServiceUser) (*answer[api.ServiceCredentials], error) {
	return s.createServiceUser(ctx, r, in.SignedIn, user.Place{Organization: in.Organization, Project: in.Project}, in.Body)
}

func (s *Server) createStageServiceUser(ctx context.Context, r idempotency.Request, in *stageServiceUser) (*answer[api.ServiceCredentials], error) {
	return s.createServiceUser(ctx, r, in.SignedIn, user.Place{Organization: in.Organization, Project: in.Project, Stage: in.Stage}, in.Body)
}

// createServiceUser answers without the password: addPassword adds it.
func (s *Server) createServiceUser(ctx context.Context, r idempotency.Request, in SignedIn, at user.Place, body api.NewServiceUser) (*answer[api.ServiceCredentials], error) {
	u, err := s.user(ctx, in)
	if err != nil {
		return nil, err
	}
	made, err := s.Users.CreateServiceUser(ctx, u, at, body.Name, setops.Role(body.Role), r.NewID, r.Events(nil)...)
	if err != nil {
		return nil, err
	}
	return answered(api.ServiceCredentials{Organization: made.Organization, Name: nameOf(made.Email), Role: body.Role}), nil
}

func (s *Server) addPassword(r idempotency.Request, out *answer[api.ServiceCredentials]) {
	out.Body.Password = s.Users.Password(r.NewID)
}

// changeServiceUser is a request that changes a service user, and has no body.
type changeServiceUser struct {
	InOrganization
	Changing
	Name string `path:"name" maxLength:"64"`
}

func (in changeServiceUser) subject() string { return in.Name }

func (s *Server) renewServiceUserPassword(ctx context.Context, r idempotency.Request, in *changeServiceUser) (*answer[api.ServiceCredentials], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	renewed, err := s.Users.RenewPassword(ctx, u, in.Organization, in.Name, r.NewID, r.Events(nil)...)
	if err != nil {
		return nil, err
	}
	return answered(api.ServiceCredentials{Organization: renewed.Organization, Name: nameOf(renewed.Email)}), nil
}

func (s *Server) destroyServiceUser(ctx context.Context, r idempotency.Request, in *changeServiceUser) (*struct{}, error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	_, err = s.Users.DestroyServiceUser(ctx, u, in.Organization, in.Name, r.Events(nil)...)
	return nil, err
}
