package store

import (
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

const grace = "grace@example.com"

// invite adds an invitation of grace's; its hash is the id.
func invite(t *testing.T, s *Store, id, scope string, role setops.Role) setops.Invitation {
	t.Helper()
	i := setops.Invitation{
		ID: id, Email: grace, OrganizationID: "o-1", ScopeID: scope, Role: role, InvitedBy: ada.Email,
		CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	must(t, s.AddInvitation(t.Context(), i, "hash of "+id))
	return i
}

func TestAnInvitationIsFoundUntilItExpires(t *testing.T) {
	s := withStage(t)
	for scope, want := range map[string][2]string{"p-1": {"shop", ""}, "s-1": {"shop", "production"}, "o-1": {"", ""}} {
		invite(t, s, "i-"+scope, scope, setops.Member)
		i, ok, err := s.Invitation(t.Context(), "hash of i-"+scope, now.Add(time.Hour-time.Millisecond))
		must(t, err)
		if !ok || i.Project != want[0] || i.Stage != want[1] || i.Organization != "demo" || i.HasAccount || i.InvitedBy != ada.Email {
			t.Errorf("%s: %v, %+v", scope, ok, i)
		}
		if _, ok, err := s.Invitation(t.Context(), "hash of i-"+scope, now.Add(time.Hour)); ok || err != nil {
			t.Errorf("%s: it is found when it has expired; %v", scope, err)
		}
	}
	if _, ok, err := s.Invitation(t.Context(), "i-s-1", now); ok || err != nil {
		t.Errorf("an id is a token: %v", err)
	}
}

func TestAcceptingMakesTheAccountAndGivesTheRoleOnce(t *testing.T) {
	s := withStage(t)
	invite(t, s, "i-1", "s-1", setops.Admin)
	u, err := s.AcceptInvitation(t.Context(), "hash of i-1", setops.User{ID: "u-grace"}, "hash of grace", now)
	must(t, err)
	if u.Email != grace || u.Organization != "demo" || u.Admin {
		t.Errorf("%+v", u)
	}
	got, hash, ok, err := s.Login(t.Context(), "demo", grace)
	must(t, err)
	if !ok || hash != "hash of grace" || got != u {
		t.Errorf("%+v, %q, %v", got, hash, ok)
	}
	roles, err := s.Roles(t.Context(), "u-grace")
	must(t, err)
	if len(roles) != 1 || roles["s-1"] != setops.Admin {
		t.Errorf("roles %v", roles)
	}
	_, err = s.AcceptInvitation(t.Context(), "hash of i-1", setops.User{ID: "u-other"}, "another", now)
	refused(t, err, setops.ValidationFailed)

	// The second one is for the account that is there now, and for no new one.
	invite(t, s, "i-2", "p-1", setops.Member)
	_, err = s.AcceptInvitation(t.Context(), "hash of i-2", setops.User{ID: "u-other"}, "another", now)
	refused(t, err, setops.ValidationFailed)
	_, err = s.AcceptInvitation(t.Context(), "hash of i-2", setops.User{ID: "u-grace"}, "another", now)
	must(t, err)
	if _, hash, _, err := s.PasswordOf(t.Context(), grace); err != nil || hash != "hash of grace" {
		t.Errorf("the password became %q; %v", hash, err)
	}
}

func TestAnInvitationToAnOrganizationMakesItsAdmin(t *testing.T) {
	s := withStage(t)
	invite(t, s, "i-1", "o-1", setops.Admin)
	u, err := s.AcceptInvitation(t.Context(), "hash of i-1", setops.User{ID: "u-grace"}, "hash", now)
	must(t, err)
	if roles, err := s.Roles(t.Context(), u.ID); err != nil || len(roles) != 0 {
		t.Errorf("roles %v, %v", roles, err)
	}
	// Being invited as less later takes nothing away.
	invite(t, s, "i-2", "o-1", setops.Member)
	_, err = s.AcceptInvitation(t.Context(), "hash of i-2", setops.User{ID: u.ID}, "", now)
	must(t, err)
	all, err := s.Organizations(t.Context(), u.ID)
	must(t, err)
	if len(all) != 1 || !all[0].Admin || all[0].Name != "demo" {
		t.Errorf("%+v", all)
	}
}

func TestInvitingAgainAndWithdrawingMakeTheLinkWorthless(t *testing.T) {
	s := withStage(t)
	invite(t, s, "i-1", "s-1", setops.Member)
	invite(t, s, "i-2", "s-1", setops.Admin)
	if _, ok, err := s.Invitation(t.Context(), "hash of i-1", now); ok || err != nil {
		t.Errorf("the first link is good still; %v", err)
	}
	grants, err := s.Grants(t.Context(), "s-1", now)
	must(t, err)
	if want := (setops.Grant{Email: grace, Role: setops.Admin, Invited: true}); len(grants) != 2 || grants[1] != want {
		t.Errorf("%+v", grants)
	}
	if role, ok, err := s.RemoveInvitation(t.Context(), "s-1", grace); err != nil || !ok || role != setops.Admin {
		t.Errorf("%v, %v, %v", role, ok, err)
	}
	if _, ok, err := s.RemoveInvitation(t.Context(), "s-1", grace); err != nil || ok {
		t.Errorf("withdrawn twice: %v, %v", ok, err)
	}
	if _, ok, err := s.Invitation(t.Context(), "hash of i-2", now); ok || err != nil {
		t.Errorf("the link is good still; %v", err)
	}
}

func TestWhatIsDestroyedTakesItsInvitationsAlong(t *testing.T) {
	s := withStage(t)
	i := invite(t, s, "i-1", "s-1", setops.Member)
	must(t, s.RemoveStage(t.Context(), "s-1"))
	if _, ok, err := s.Invitation(t.Context(), "hash of i-1", now); ok || err != nil {
		t.Errorf("it is found; %v", err)
	}
	refused(t, s.AddInvitation(t.Context(), i, "hash"), setops.ProjectDoesNotExist)
	refused(t, s.AddGrant(t.Context(), "s-1", bob, setops.Member), setops.ProjectDoesNotExist)
}

func TestRolesAreGivenOnceAndTheLastAdminStays(t *testing.T) {
	s := withStage(t)
	must(t, s.AddGrant(t.Context(), "s-1", bob, setops.Member))
	refused(t, s.AddGrant(t.Context(), "s-1", bob, setops.Admin), setops.CodePermissionAlreadyExist)
	_, err := s.RemoveGrant(t.Context(), "s-1", ada)
	refused(t, err, setops.CodeCantRemoveLastAdmin)
	role, err := s.RemoveGrant(t.Context(), "s-1", bob)
	must(t, err)
	if role != setops.Member {
		t.Errorf("it was %s", role)
	}
	_, err = s.RemoveGrant(t.Context(), "s-1", bob)
	refused(t, err, setops.CodePermissionDoesNotExist)
	must(t, s.AddGrant(t.Context(), "s-1", bob, setops.Admin))
	_, err = s.RemoveGrant(t.Context(), "s-1", ada)
	must(t, err)
	_, err = s.RemoveGrant(t.Context(), "s-1", bob)
	refused(t, err, setops.CodeCantRemoveLastAdmin)
}

func TestOfTwoAdminsWhoRemoveEachOtherOneStays(t *testing.T) {
	s := withStage(t)
	for range 10 {
		must(t, s.Grant(t.Context(), "s-1", ada.ID, setops.Admin))
		must(t, s.Grant(t.Context(), "s-1", bob.ID, setops.Admin))
		done := make(chan error, 2)
		for _, u := range []setops.User{ada, bob} {
			go func() {
				_, err := s.RemoveGrant(t.Context(), "s-1", u)
				done <- err
			}()
		}
		failed := 0
		for range 2 {
			if err := <-done; setops.IsCode(err, setops.CodeCantRemoveLastAdmin) {
				failed++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		grants, err := s.Grants(t.Context(), "s-1", now)
		must(t, err)
		if failed != 1 || len(grants) != 1 {
			t.Fatalf("%d were refused; left are %v", failed, grants)
		}
	}
}
