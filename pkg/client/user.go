package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// Place is where users have roles: a ProjectRef or a StageRef.
type Place interface{ path() string }

// OrganizationRef names an organization.
type OrganizationRef string

func (r OrganizationRef) path() string { return api.OrganizationPath(string(r)) }

func (r OrganizationRef) serviceUser(name string) string {
	return r.path() + "/service-users/" + url.PathEscape(name)
}

// Users lists who has a role at a place, and who was invited, by address.
func (c *Client) Users(ctx context.Context, at Place) ([]api.User, error) {
	return list[api.User](ctx, c, at.path()+"/users", "users", nil)
}

// Invite gives somebody a role: at once, or once the invitation is accepted.
func (c *Client) Invite(ctx context.Context, at Place, user api.NewUser) (api.Invited, error) {
	var done api.Invited
	return done, c.do(ctx, call{method: http.MethodPost, path: at.path() + "/users", in: user, out: &done})
}

// RemoveUser takes somebody's role away, or withdraws an invitation.
func (c *Client) RemoveUser(ctx context.Context, at Place, email string) (api.User, error) {
	var gone api.User
	return gone, c.do(ctx, call{method: http.MethodDelete, path: at.path() + "/users/" + url.PathEscape(email), out: &gone})
}

// AcceptInvitation accepts an invitation. It needs no session, and is not sent again where its answer is lost.
func (c *Client) AcceptInvitation(ctx context.Context, accept api.AcceptInvitation) (api.Accepted, error) {
	var done api.Accepted
	return done, c.do(ctx, call{method: http.MethodPost, path: api.AcceptInvitationPath, in: accept, out: &done})
}

// Organizations lists those that the user belongs to, by name.
func (c *Client) Organizations(ctx context.Context) ([]api.Organization, error) {
	return list[api.Organization](ctx, c, api.OrganizationsPath, "organizations", nil)
}

// SwitchOrganization ends the session of the client's token, and gives one of another organization.
func (c *Client) SwitchOrganization(ctx context.Context, organization string) (api.Session, error) {
	var s api.Session
	return s, c.do(ctx, call{method: http.MethodPost, path: api.SwitchPath, in: api.SwitchOrganization{Organization: organization}, out: &s})
}

// ServiceUsers lists those of an organization, by name.
func (c *Client) ServiceUsers(ctx context.Context, organization OrganizationRef) ([]api.ServiceUser, error) {
	return list[api.ServiceUser](ctx, c, organization.path()+"/service-users", "service_users", nil)
}

// CreateServiceUser makes a service user with a role; the answer has its password.
func (c *Client) CreateServiceUser(ctx context.Context, at Place, user api.NewServiceUser) (api.ServiceCredentials, error) {
	var made api.ServiceCredentials
	return made, c.do(ctx, call{method: http.MethodPost, path: at.path() + "/service-users", in: user, out: &made})
}

// RenewServiceUser gives a service user a new password; the old one and all its tokens are worthless then.
func (c *Client) RenewServiceUser(ctx context.Context, organization OrganizationRef, name string) (api.ServiceCredentials, error) {
	var renewed api.ServiceCredentials
	return renewed, c.do(ctx, call{method: http.MethodPost, path: organization.serviceUser(name) + "/password", out: &renewed})
}

// DestroyServiceUser removes a service user with its roles and tokens.
func (c *Client) DestroyServiceUser(ctx context.Context, organization OrganizationRef, name string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: organization.serviceUser(name)})
}

// EventQuery chooses events of the audit log; zero is no limit of time. MaxEvents are the most that can be asked for.
type EventQuery struct {
	Limit         int // the newest so many
	After, Before time.Time
}

// MaxEvents is the highest limit.
const MaxEvents = 9999

// Events reads the audit log of an organization, a project or a stage, oldest first.
func (c *Client) Events(ctx context.Context, at Place, q EventQuery) ([]api.Event, error) {
	query := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	for name, t := range map[string]time.Time{"after": q.After, "before": q.Before} {
		if !t.IsZero() {
			query.Set(name, t.UTC().Format(time.RFC3339Nano))
		}
	}
	return list[api.Event](ctx, c, at.path()+"/audit", "events", query)
}
