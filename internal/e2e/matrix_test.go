package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
)

// Everybody in the matrix, in the order of its columns: admin and member of the project, admin and member of stage production,
// an admin of the other stage alone, a member of the organization without any role, an admin of the organization without one, an
// admin of another organization, and nobody, who has no token.
var everybody = []string{"padmin", "pmember", "sadmin", "smember", "aside", "none", "oadmin", "other", "nobody"}

// A row says what an operation answers each of them. Letters: x it is done; f 403, it is seen and not allowed; - 404, it is not
// there for them; u 401. The body is sent with it.
type row struct {
	answers string
	body    string
}

// Rows that many operations have. What is of a stage is open to all that may see it.
const (
	ofStage        = "x x x x - - - - u"
	ofStageAdmins  = "x f x f - - - - u"
	ofProject      = "x x x x x - - - u"
	ofProjectUsers = "x x f f f - - - u"
	ofProjectAdmin = "x f f f f - - - u"
	ofMembers      = "x x x x x x x - u" // of the organization
	ofTheSignedIn  = "x x x x x x x x u"
	ofAnybody      = "x x x x x x x x x"
)

// matrix has a row for each operation of the API: a route without one fails the test. What is x here is an answer that is not
// a refusal: the request may still be about an app or a commit that is not there.
var matrix = map[string]row{
	"sign-in":           {ofAnybody, `{"organization":"demo","email":"x","password":"x"}`},
	"accept-invitation": {ofAnybody, `{"token":"x","password":"x"}`},
	"show-session":      {ofTheSignedIn, ""},
	"sign-out":          {ofAnybody, ""},

	"show-version":        {ofAnybody, ""},
	"begin-device":        {ofAnybody, ""},
	"trade-token":         {ofAnybody, ""},
	"list-sessions":       {ofTheSignedIn, ""},
	"end-session":         {ofTheSignedIn, ""},
	"list-tokens":         {ofTheSignedIn, ""},
	"create-token":        {ofTheSignedIn, `{"name":"NAME"}`},
	"destroy-token":       {ofTheSignedIn, ""},
	"switch-organization": {"- - - - - - - x u", `{"organization":"acme"}`},

	"list-organizations":          {ofTheSignedIn, ""},
	"list-service-users":          {ofMembers, ""},
	"renew-service-user-password": {"x f f f f f x - u", ""},
	"destroy-service-user":        {"x f f f f f x - u", ""},
	"read-organization-audit":     {"f f f f f f x - u", ""},

	"list-projects":   {ofMembers, ""},
	"create-project":  {ofMembers, `{"name":"pNAME"}`},
	"show-project":    {ofProject, ""},
	"destroy-project": {ofProjectAdmin, ""},
	"list-stages":     {ofProject, ""},
	"create-stage":    {ofProjectAdmin, `{"name":"sNAME"}`},
	"show-stage":      {ofStage, ""},
	"destroy-stage":   {ofStageAdmins, ""},

	"list-project-users":          {ofProjectUsers, ""},
	"invite-project-user":         {ofProjectAdmin, `{"email":"NAME@example.org"}`},
	"remove-project-user":         {ofProjectAdmin, ""},
	"create-project-service-user": {ofProjectAdmin, `{"name":"NAME-one"}`},
	"read-project-audit":          {ofProjectAdmin, ""},
	"list-stage-users":            {ofStage, ""},
	"invite-stage-user":           {ofStageAdmins, `{"email":"NAME@example.org"}`},
	"remove-stage-user":           {ofStageAdmins, ""},
	"create-stage-service-user":   {ofStageAdmins, `{"name":"NAME-two"}`},
	"read-stage-audit":            {ofStageAdmins, ""},

	"list-apps":          {ofStage, ""},
	"show-app":           {ofStage, ""},
	"show-app-status":    {ofStage, ""},
	"list-releases":      {ofStage, ""},
	"list-domains":       {ofStage, ""},
	"list-tasks":         {ofStage, ""},
	"run-task":           {ofStage, `{"arguments":["x"]}`},
	"show-task":          {ofStage, ""},
	"stop-task":          {ofStage, ""},
	"list-schedules":     {ofStage, ""},
	"attach-task":        {ofStage, ""},
	"deploy-image":       {ofStage, `{"image":"v1"}`},
	"show-deploy-target": {ofStage, ""},
	"read-log":           {ofStage, ""},
	"follow-log":         {ofStage, ""},

	"show-changeset":    {ofStage, ""},
	"discard-changeset": {ofStage, ""},
	"stage-commands":    {ofStage, `{"commands":[{"name":"app:create","arguments":{"name":"new"}}]}`},
	"remove-command":    {ofStage, ""},
	"show-diff":         {ofStage, ""},
	"show-plan":         {ofStage, ""},

	"show-definition":  {ofStage, ""},
	"apply-definition": {ofStage, `{}`},

	"list-commits":        {ofStage, ""},
	"commit-changeset":    {ofStage, ""},
	"show-commit":         {ofStage, ""},
	"show-commit-details": {ofStage, ""},
	"cancel-commit":       {ofStage, ""},
	"revert-commit":       {ofStage, `{}`},
	"watch-commit":        {ofStage, ""},
}

// consuming are operations that take away what the others are asked about: each of them gets a project of its own.
var consuming = []string{"destroy-project", "destroy-stage", "destroy-service-user", "sign-out", "switch-organization"}

// An operation as the API's own description has it.
type operation struct{ id, method, path string }

func TestEveryOperationAsksForTheRoleThatItsRowSays(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	shared := w.castFor(t, "shop")
	known := map[string]bool{}
	for _, op := range operationsOf(t, w) {
		known[op.id] = true
		r, ok := matrix[op.id]
		marks := strings.Fields(r.answers)
		if !ok || len(marks) != len(everybody) {
			t.Errorf("%s %s: the matrix has no row for %q; say there who may do it", op.method, op.path, op.id)
			continue
		}
		for i, who := range everybody {
			project, cast := "shop", shared
			if slices.Contains(consuming, op.id) {
				project = fmt.Sprint("gone", len(known), who)
				cast = w.castFor(t, project)
			}
			a := w.do(t, request{method: op.method, path: pathOf(op, project), token: cast[who], body: strings.ReplaceAll(r.body, "NAME", who)})
			if got := markOf(a); got != marks[i] {
				t.Errorf("%s as %s: %s, not %s (%d %.200s)", op.id, who, got, marks[i], a.status, a.body)
			}
		}
	}
	for id := range matrix {
		if !known[id] {
			t.Errorf("the matrix has a row for %q, which is no operation", id)
		}
	}
}

// markOf tells a refusal by the role from all other answers.
func markOf(a answer) string {
	code := ""
	if a.status >= 400 {
		_, rest, _ := strings.Cut(string(a.body), `"code":"`)
		code, _, _ = strings.Cut(rest, `"`)
	}
	switch {
	case a.status == http.StatusUnauthorized && code == "SessionInvalid":
		return "u"
	case a.status == http.StatusForbidden:
		return "f"
	case slices.Contains([]string{"CodeOrganizationDoesNotExist", "ProjectDoesNotExist", "StageDoesNotExist"}, code):
		return "-"
	}
	return "x"
}

func operationsOf(t *testing.T, w *world) []operation {
	t.Helper()
	var all []operation
	for path, item := range describe(t, w).Paths {
		for method, op := range item {
			all = append(all, operation{op.OperationID, strings.ToUpper(method), path})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return all
}

func pathOf(op operation, project string) string {
	path := strings.NewReplacer(
		"{organization}", "demo", "{project}", project, "{stage}", "production", "{app}", "web", "{number}", "1",
		"{email}", url.PathEscape("spare@example.com"), "{name}", "deploy"+project, "{id}", "0123abcd",
	).Replace(op.path)
	if op.id == "follow-log" {
		path += "?task=0123abcd" // ends at once: there is no such task
	}
	return path
}

// castFor makes a project with two stages and everybody's roles on it, straight in the store, and gives everybody's tokens.
func (w *world) castFor(t *testing.T, project string) map[string]string {
	t.Helper()
	tokens := map[string]string{}
	err := w.inStore(func(s *store.Store) error {
		users, err := cast(t.Context(), s, project)
		if err != nil {
			return err
		}
		if err := giveRoles(t.Context(), s, project, users); err != nil {
			return err
		}
		for _, who := range everybody[:len(everybody)-1] {
			token, hash := auth.NewToken()
			session := setops.Session{
				ID: hash[:12], User: users[who], Kind: setops.PersonSession, CreatedAt: time.Now(), UsedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
			}
			if err := s.AddSession(t.Context(), session, setops.Token{Hash: hash, Use: setops.AccessToken, ExpiresAt: session.ExpiresAt}); err != nil {
				return err
			}
			tokens[who] = token
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// cast gives everybody who has a token, making those who are not there yet, and a service user of the project's.
func cast(ctx context.Context, s *store.Store, project string) (map[string]setops.User, error) {
	now, users := time.Now(), map[string]setops.User{}
	demo, err := s.AddOrganization(ctx, "unused", organization, now)
	if err != nil {
		return nil, err
	}
	acme, err := s.AddOrganization(ctx, "o-acme", "acme", now)
	if err != nil {
		return nil, err
	}
	for _, who := range append(slices.Clone(everybody[:len(everybody)-1]), "deploy"+project) {
		u := setops.User{
			ID: "u-" + who, Email: who + "@example.com", OrganizationID: demo, Organization: organization,
			Admin: who == "oadmin" || who == "other", Service: who == "deploy"+project,
		}
		if u.Service {
			u.Email = setops.ServiceEmail(who, organization)
		}
		if who == "other" {
			u.OrganizationID, u.Organization = acme, "acme"
		}
		users[who] = u
		_, there, err := s.Member(ctx, u.Organization, u.Email)
		if err == nil && !there {
			err = s.AddUser(ctx, u, "no hash", u.OrganizationID, now)
		}
		if err != nil {
			return nil, err
		}
	}
	return users, nil
}

func giveRoles(ctx context.Context, s *store.Store, project string, users map[string]setops.User) error {
	id, now := "p-"+project, time.Now()
	admin := users["padmin"]
	if err := s.AddProject(ctx, admin.OrganizationID, setops.Project{ID: id, Name: project, CreatedAt: now}, admin); err != nil {
		return err
	}
	for _, name := range []string{"production", "staging"} {
		if err := s.AddStage(ctx, setops.Stage{ID: id + name, ProjectID: id, Name: name, CreatedAt: now}, admin); err != nil {
			return err
		}
	}
	for _, g := range []struct {
		who, scope string
		role       setops.Role
	}{
		{"pmember", id, setops.Member},
		{"sadmin", id + "production", setops.Admin},
		{"smember", id + "production", setops.Member},
		{"aside", id + "staging", setops.Admin},
		{"deploy" + project, id, setops.Member},
	} {
		if err := s.Grant(ctx, g.scope, users[g.who].ID, g.role); err != nil {
			return err
		}
	}
	return nil
}
