package user_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
	"github.com/setopsco/setops/internal/user"
)

var (
	ada   = setops.User{ID: "u-ada", Email: "ada@example.com", OrganizationID: "o-1", Organization: "demo"}
	bob   = setops.User{ID: "u-bob", Email: "bob@example.com", OrganizationID: "o-1", Organization: "demo"}
	eve   = setops.User{ID: "u-eve", Email: "eve@example.com", OrganizationID: "o-2", Organization: "acme"}
	shop  = user.Place{Organization: "demo", Project: "shop"}
	stage = user.Place{Organization: "demo", Project: "shop", Stage: "production"}
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// mailer remembers the links that it was to send.
type mailer struct {
	links []string
	fault error
}

func (m *mailer) Invite(_ context.Context, _ setops.Invitation, link string) error {
	m.links = append(m.links, link)
	return m.fault
}

type world struct {
	*user.Service
	store *store.Store
	mail  mailer
}

// begun gives ada's project shop with stage production in organization demo, where bob is a member and eve is not.
func begun(t *testing.T) *world {
	t.Helper()
	ctx, s, now := t.Context(), storetest.Open(t), time.Now()
	for id, name := range map[string]string{"o-1": "demo", "o-2": "acme"} {
		_, err := s.AddOrganization(ctx, id, name, now)
		must(t, err)
	}
	for _, u := range []setops.User{ada, bob, eve} {
		must(t, s.AddUser(ctx, u, "hash", u.OrganizationID, now))
	}
	must(t, s.AddProject(ctx, "o-1", setops.Project{ID: "p-1", Name: "shop", CreatedAt: now}, ada))
	must(t, s.AddStage(ctx, setops.Stage{ID: "s-1", ProjectID: "p-1", Name: "production", CreatedAt: now}, ada))
	log := slog.New(slog.DiscardHandler)
	w := &world{store: s}
	w.Service = &user.Service{
		Store: s, Access: auth.Access{Store: s}, Now: time.Now, Logger: log,
		Invitations: &auth.Invitations{Store: s, Sessions: auth.NewSessions(s, time.Now, log), Key: []byte("key")},
		Link:        func(token string) string { return "https://setops.example.com/" + token },
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, code setops.Code) {
	t.Helper()
	if !setops.IsCode(err, code) {
		t.Errorf("got %v, not %s", err, code)
	}
}

func TestWhoIsInTheOrganizationHasTheRoleAtOnce(t *testing.T) {
	w := begun(t)
	done, err := w.Invite(t.Context(), ada, stage, " Bob@Example.com ", setops.Member, "i-1")
	must(t, err)
	if done.Email != bob.Email || done.Invitation != nil {
		t.Errorf("%+v", done)
	}
	_, err = w.Invite(t.Context(), ada, stage, bob.Email, setops.Admin, "i-2")
	refused(t, err, setops.CodePermissionAlreadyExist)
	users, err := w.Users(t.Context(), bob, stage)
	must(t, err)
	if len(users) != 2 || users[1] != (setops.Grant{Email: bob.Email, Role: setops.Member}) {
		t.Errorf("%+v", users)
	}
	_, err = w.Users(t.Context(), bob, shop)
	refused(t, err, setops.CodeInsufficientPrivileges)
	_, err = w.Users(t.Context(), eve, shop)
	refused(t, err, setops.OrganizationDoesNotExist)
}

func TestWhoHasAnAccountElsewhereIsAskedFirst(t *testing.T) {
	w := begun(t)
	done, err := w.Invite(t.Context(), ada, shop, eve.Email, setops.Member, "i-1")
	must(t, err)
	if done.Invitation == nil || time.Until(done.Invitation.ExpiresAt).Round(time.Hour) != 7*24*time.Hour {
		t.Fatalf("%+v", done)
	}
	i, err := w.Invitations.Invitation(t.Context(), w.Invitations.Token("i-1"))
	must(t, err)
	if !i.HasAccount || i.Project != "shop" || i.InvitedBy != ada.Email {
		t.Errorf("%+v", i)
	}
}

func TestAnInvitationIsMailedOrHandedOver(t *testing.T) {
	w := begun(t)
	w.Mailer = &w.mail
	done, err := w.Invite(t.Context(), ada, shop, "grace@example.com", setops.Member, "i-1")
	must(t, err)
	if want := "https://setops.example.com/" + w.Invitations.Token("i-1"); !done.Mailed || len(w.mail.links) != 1 || w.mail.links[0] != want {
		t.Errorf("%+v, mailed are %v", done, w.mail.links)
	}
	w.mail.fault = errors.New("no route to host")
	done, err = w.Invite(t.Context(), ada, shop, "grace@example.com", setops.Member, "i-2")
	must(t, err)
	if done.Mailed || done.MailError != "no route to host" {
		t.Errorf("%+v", done)
	}
	// Who has the role at once gets no mail.
	_, err = w.Invite(t.Context(), ada, shop, bob.Email, setops.Member, "i-3")
	must(t, err)
	if len(w.mail.links) != 2 {
		t.Errorf("mailed are %v", w.mail.links)
	}
}

func TestWhatIsNoAddressOrRoleIsRefused(t *testing.T) {
	w := begun(t)
	for _, test := range []struct {
		email     string
		role      setops.Role
		validator setops.Validator
	}{{"grace", setops.Member, setops.NotAnEmailAddress}, {"deploy@demo", setops.Member, setops.NotAnEmailAddress}, {"grace@example.com", "king", setops.NotIncluded}} {
		_, err := w.Invite(t.Context(), ada, shop, test.email, test.role, "i")
		var e *setops.Error
		if !errors.As(err, &e) || len(e.Violations) != 1 || e.Violations[0].Validator != test.validator {
			t.Errorf("%v: %v", test, err)
		}
	}
	_, err := w.Remove(t.Context(), ada, shop, "grace")
	refused(t, err, setops.ValidationFailed)
}

func TestRemovingTakesARoleOrAnInvitationAway(t *testing.T) {
	w := begun(t)
	_, err := w.Remove(t.Context(), ada, shop, ada.Email)
	refused(t, err, setops.CodeCantRemoveLastAdmin)
	for _, email := range []string{bob.Email, "grace@example.com"} {
		_, err = w.Remove(t.Context(), ada, shop, email)
		refused(t, err, setops.CodePermissionDoesNotExist)
		_, err = w.Invite(t.Context(), ada, shop, email, setops.Admin, "i-"+email)
		must(t, err)
		gone, err := w.Remove(t.Context(), ada, shop, email)
		must(t, err)
		if gone.Role != setops.Admin || gone.Invited != (email != bob.Email) {
			t.Errorf("%+v", gone)
		}
	}
}

func TestAServiceUserIsManagedByWhoeverManagesAllItsPlaces(t *testing.T) {
	w := begun(t)
	must(t, w.store.AddStage(t.Context(), setops.Stage{ID: "s-2", ProjectID: "p-1", Name: "staging", CreatedAt: time.Now()}, ada))
	must(t, w.store.AddGrant(t.Context(), "s-1", bob, setops.Admin)) // of production only
	made, err := w.CreateServiceUser(t.Context(), bob, stage, "deploy", setops.Member, "id-1")
	must(t, err)
	if made.Email != "deploy@demo" {
		t.Errorf("%+v", made)
	}
	// A request that comes again makes no second one; another one finds the name taken.
	_, err = w.CreateServiceUser(t.Context(), bob, stage, "deploy", setops.Member, "id-1")
	must(t, err)
	_, err = w.CreateServiceUser(t.Context(), bob, stage, "deploy", setops.Member, "id-2")
	refused(t, err, setops.ValidationFailed)

	_, err = w.RenewPassword(t.Context(), bob, "demo", "deploy", "id-3")
	must(t, err)
	_, err = w.Invite(t.Context(), ada, user.Place{Organization: "demo", Project: "shop", Stage: "staging"}, "deploy", setops.Member, "i")
	must(t, err)
	_, err = w.DestroyServiceUser(t.Context(), bob, "demo", "deploy")
	refused(t, err, setops.CodeInsufficientPrivileges)
	_, err = w.DestroyServiceUser(t.Context(), ada, "demo", "bob@example.com")
	refused(t, err, setops.ValidationFailed)
	_, err = w.DestroyServiceUser(t.Context(), ada, "demo", "deploy@demo")
	must(t, err)
	all, err := w.ServiceUsers(t.Context(), ada, "demo")
	must(t, err)
	if len(all) != 0 {
		t.Errorf("%+v", all)
	}
	if users, err := w.Users(t.Context(), ada, stage); err != nil || len(users) != 2 {
		t.Errorf("its roles are left: %+v, %v", users, err)
	}
}

func TestAServiceUserWithoutARoleIsForAdminsOfTheOrganization(t *testing.T) {
	w := begun(t)
	_, err := w.CreateServiceUser(t.Context(), ada, shop, "deploy", setops.Member, "id-1")
	must(t, err)
	_, err = w.Remove(t.Context(), ada, shop, "deploy")
	must(t, err)
	_, err = w.DestroyServiceUser(t.Context(), ada, "demo", "deploy")
	refused(t, err, setops.CodeInsufficientPrivileges)
	admin := bob
	admin.Admin = true
	_, err = w.DestroyServiceUser(t.Context(), admin, "demo", "deploy")
	must(t, err)
}

func TestAServiceUserThatIsTheLastAdminStays(t *testing.T) {
	w := begun(t)
	_, err := w.CreateServiceUser(t.Context(), ada, shop, "deploy", setops.Admin, "id-1")
	must(t, err)
	_, err = w.Remove(t.Context(), ada, shop, ada.Email)
	must(t, err)
	admin := bob
	admin.Admin = true
	_, err = w.DestroyServiceUser(t.Context(), admin, "demo", "deploy")
	refused(t, err, setops.CodeCantRemoveLastAdmin)
}
