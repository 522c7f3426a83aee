package render

import (
	"io"
	"strconv"

	"github.com/setopsco/setops/pkg/api"
)

// Users prints who has a role.
func Users(w io.Writer, users []api.User) error {
	rows := make([][]string, 0, len(users))
	for _, u := range users {
		rows = append(rows, []string{u.Email, u.Role})
	}
	return Table(w, []string{"Email", "Role"}, rows)
}

// WideUsers is Users with all columns.
func WideUsers(w io.Writer, users []api.User) error {
	rows := make([][]string, 0, len(users))
	for _, u := range users {
		kind, state := "person", "active"
		if u.ServiceUser {
			kind = "service user"
		}
		if u.Invited {
			state = "invited"
		}
		rows = append(rows, []string{u.Email, u.Role, kind, state})
	}
	return Table(w, []string{"Email", "Role", "Kind", "State"}, rows)
}

// Role prints a role that somebody got or has lost.
func Role(w io.Writer, email, role string) error {
	return new(Block).Add("Email", email).Add("Role", role).Write(w)
}

// ServiceUsers prints the service users of an organization.
func ServiceUsers(w io.Writer, users []api.ServiceUser) error {
	rows := make([][]string, 0, len(users))
	for _, u := range users {
		rows = append(rows, []string{u.Name, Time(u.CreatedAt), u.CreatedBy})
	}
	return Table(w, []string{"Name", "Created At", "Created By"}, rows)
}

// ServiceCredentials prints what a service user signs in with.
func ServiceCredentials(w io.Writer, c api.ServiceCredentials) error {
	b := new(Block).Add("Organization", c.Organization).Add("Name", c.Name).Add("Password", c.Password)
	if c.Role != "" {
		b.Add("Role", c.Role)
	}
	return b.Write(w)
}

// WideOrganizations prints organizations with all columns.
func WideOrganizations(w io.Writer, organizations []api.Organization) error {
	rows := make([][]string, 0, len(organizations))
	for _, o := range organizations {
		role := "member"
		if o.Admin {
			role = "admin"
		}
		rows = append(rows, []string{o.Name, role, strconv.FormatBool(o.Current)})
	}
	return Table(w, []string{"Name", "Role", "Current"}, rows)
}

const whatWidth = 50

// Events prints the audit log.
func Events(w io.Writer, events []api.Event) error {
	rows := make([][]string, 0, len(events))
	for _, e := range events {
		action, what := e.Action, e.What
		if e.Times > 1 {
			action += " (" + strconv.Itoa(e.Times) + " times)"
		}
		if e.Address != "" {
			what = OneLine(what + " from " + e.Address)
		}
		rows = append(rows, []string{Time(e.At), Text(e.Who), action, where(e), Text(wrap(what, whatWidth))})
	}
	return Table(w, []string{"Time", "Who", "Action", "Where", "What"}, rows)
}

// WideEvents is Events with all columns, and nothing cut or wrapped.
func WideEvents(w io.Writer, events []api.Event) error {
	rows := make([][]string, 0, len(events))
	for _, e := range events {
		rows = append(rows, []string{
			Time(e.At), Text(e.Who), e.Action, Text(e.Project), Text(e.Stage), Text(OneLine(e.What)), Text(e.Address), strconv.Itoa(e.Times),
		})
	}
	return Table(w, []string{"Time", "Who", "Action", "Project", "Stage", "What", "Address", "Times"}, rows)
}

func where(e api.Event) string {
	if e.Stage == "" {
		return Text(e.Project)
	}
	return e.Project + "/" + e.Stage
}
