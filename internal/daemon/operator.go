package daemon

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/setopsco/setops/internal/httpapi"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/user"
)

// operator is who acts in the audit log where the server obeys at its control socket.
const operator = "(operator)"

// member is somebody of an organization, as the control socket says it.
type member struct {
	Email       string `json:"email"`
	Role        string `json:"role"`
	ServiceUser bool   `json:"service_user,omitempty"`
	Invited     bool   `json:"invited,omitempty"`
}

// admission is the answer to one who is admitted.
type admission struct {
	member
	Link      string `json:"link,omitempty"` // to hand over
	Mailed    bool   `json:"mailed,omitempty"`
	MailError string `json:"mail_error,omitempty"`
}

// refusal is the answer where something is refused or fails.
type refusal struct {
	Error string `json:"error"`
}

// obeyOperator adds what is about organizations and their members.
func (c *core) obeyOperator(mux *http.ServeMux) {
	for pattern, serve := range map[string]func(*http.Request) (any, error){
		"GET /cluster":                                       c.serveCluster,
		"GET /organizations":                                 c.serveOrganizations,
		"POST /organizations/{organization}":                 c.serveNewOrganization,
		"GET /organizations/{organization}/users":            c.serveMembers,
		"POST /organizations/{organization}/users/{email}":   c.serveAdmission,
		"DELETE /organizations/{organization}/users/{email}": c.serveDismissal,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answer, err := serve(r)
			w.Header().Set("Content-Type", "application/json")
			if err != nil {
				answer = refusal{err.Error()}
				w.WriteHeader(statusOf(err))
			}
			// Whoever has asked may be gone; there is nobody else to tell.
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
}

func statusOf(err error) int {
	if known := (*setops.Error)(nil); errors.As(err, &known) && known.Kind != setops.Fault {
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}

func (c *core) serveOrganizations(r *http.Request) (any, error) {
	all, err := c.users.AllOrganizations(r.Context())
	names := make([]string, 0, len(all))
	for _, o := range all {
		names = append(names, o.Name)
	}
	return names, err
}

func (c *core) serveNewOrganization(r *http.Request) (any, error) {
	o, err := c.users.CreateOrganization(r.Context(), r.PathValue("organization"), newID())
	if err != nil {
		return nil, err
	}
	c.audit.Record(r.Context(), setops.Event{OrganizationID: o.ID, Who: operator, Action: "create organization", What: o.Name})
	return o.Name, nil
}

func (c *core) serveMembers(r *http.Request) (any, error) {
	all, err := c.users.Members(r.Context(), r.PathValue("organization"))
	members := make([]member, 0, len(all))
	for _, g := range all {
		members = append(members, member{Email: g.Email, Role: string(g.Role), ServiceUser: g.Service, Invited: g.Invited})
	}
	return members, err
}

func (c *core) serveAdmission(r *http.Request) (any, error) {
	role := setops.Member
	if r.URL.Query().Get("admin") == "true" {
		role = setops.Admin
	}
	id := newID()
	done, err := c.users.Admit(r.Context(), r.PathValue("organization"), r.PathValue("email"), role, id)
	if err != nil {
		return nil, err
	}
	c.recordOperator(r, "admit user", done.Email+" "+string(done.Role))
	return c.admissionOf(done, id), nil
}

func (c *core) admissionOf(done user.Invited, id string) admission {
	a := admission{
		member: member{Email: done.Email, Role: string(done.Role), Invited: done.Invitation != nil}, Mailed: done.Mailed, MailError: done.MailError,
	}
	if a.Invited && !a.Mailed {
		a.Link = httpapi.InvitationLink(c.publicURL(), c.users.Invitations.Token(id))
	}
	return a
}

func (c *core) serveDismissal(r *http.Request) (any, error) {
	gone, err := c.users.Dismiss(r.Context(), r.PathValue("organization"), r.PathValue("email"))
	if err != nil {
		return nil, err
	}
	c.recordOperator(r, "dismiss user", gone.Email)
	return member{Email: gone.Email, Role: string(gone.Role), ServiceUser: gone.Service, Invited: gone.Invited}, nil
}

func (c *core) recordOperator(r *http.Request, action, what string) {
	id, ok, err := c.store.OrganizationNamed(r.Context(), r.PathValue("organization"))
	if err == nil && ok {
		c.audit.Record(r.Context(), setops.Event{OrganizationID: id, Who: operator, Action: action, What: what})
	}
}
