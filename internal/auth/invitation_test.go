package auth

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// guests is an InvitationStore in memory.
type guests struct {
	*people
	waiting  map[string]setops.Invitation // by hash
	accepted string                       // the password hash of who accepted last
}

func (g *guests) AddInvitation(_ context.Context, i setops.Invitation, hash string, _ ...setops.Event) error {
	g.waiting[hash] = i
	return g.fault
}

func (g *guests) Invitation(_ context.Context, hash string, now time.Time) (setops.Invitation, bool, error) {
	i, ok := g.waiting[hash]
	return i, ok && now.Before(i.ExpiresAt), g.fault
}

func (g *guests) InvitationsTo(_ context.Context, email string, _ time.Time) (all []setops.Invitation, _ error) {
	for _, i := range g.waiting {
		if i.Email == email {
			all = append(all, i)
		}
	}
	return all, g.fault
}

func (g *guests) AcceptInvitation(_ context.Context, hash string, u setops.User, passwordHash string, _ time.Time) (setops.User, error) {
	u.Email, g.accepted = g.waiting[hash].Email, passwordHash
	delete(g.waiting, hash)
	return u, g.fault
}

func (g *guests) PasswordOf(_ context.Context, email string) (setops.User, string, bool, error) {
	hash, ok := g.hashes[email]
	return setops.User{ID: email, Email: email}, hash, ok, g.fault
}

func invitations(t *testing.T) (*Invitations, *guests, *clock) {
	t.Helper()
	s, p, c := sessions(t)
	g := &guests{people: p, waiting: map[string]setops.Invitation{}}
	return &Invitations{Store: g, Sessions: s, Key: []byte("key"), NewID: func() string { return "new" }}, g, c
}

func TestATokenOfAnInvitationFollowsFromIdAndKey(t *testing.T) {
	one, other := &Invitations{Key: []byte("one")}, &Invitations{Key: []byte("other")}
	token := one.Token("i-1")
	if token != one.Token("i-1") || token == one.Token("i-2") || token == other.Token("i-1") || !strings.HasPrefix(token, "sopi_") {
		t.Error(token)
	}
}

func TestANewAccountGetsThePasswordThatWasChosen(t *testing.T) {
	invitations, g, c := invitations(t)
	if _, err := invitations.Invite(t.Context(), setops.Invitation{ID: "i-1", Email: "grace@example.com"}); err != nil {
		t.Fatal(err)
	}
	token := invitations.Token("i-1")
	for hash := range g.waiting {
		if strings.Contains(hash, token) {
			t.Error("the store has the token itself")
		}
	}
	c.forward(InvitationLife - time.Second)
	for password, validator := range map[string]setops.Validator{"7 chars": setops.TooShort, strings.Repeat("x", 1025): setops.TooLong} {
		_, err := invitations.Accept(t.Context(), token, password)
		if !setops.IsCode(err, setops.ValidationFailed) || err.(*setops.Error).Violations[0].Validator != validator {
			t.Errorf("%q: %v", password, err)
		}
	}
	u, err := invitations.Accept(t.Context(), token, "new horse")
	if err != nil || u.ID != "new" || u.Email != "grace@example.com" {
		t.Fatalf("%+v, %v", u, err)
	}
	if right, err := checkPassword(g.accepted, "new horse"); !right || err != nil {
		t.Errorf("the password is another one; %v", err)
	}
	if _, err := invitations.Accept(t.Context(), token, "new horse"); !setops.IsCode(err, setops.ValidationFailed) {
		t.Errorf("accepted twice: %v", err)
	}
}

func TestAnInvitationExpires(t *testing.T) {
	invitations, _, c := invitations(t)
	if _, err := invitations.Invite(t.Context(), setops.Invitation{ID: "i-1", Email: "grace@example.com"}); err != nil {
		t.Fatal(err)
	}
	c.forward(InvitationLife)
	if _, err := invitations.Invitation(t.Context(), invitations.Token("i-1")); !setops.IsCode(err, setops.ValidationFailed) {
		t.Errorf("after 7 days: %v", err)
	}
}

func TestALinkAloneDoesNotOpenTheAccountOfSomebodyElse(t *testing.T) {
	invitations, g, c := invitations(t)
	if _, err := invitations.Invite(t.Context(), setops.Invitation{ID: "i-1", Email: "ada@example.com"}); err != nil {
		t.Fatal(err)
	}
	token := invitations.Token("i-1")
	g.hashes["ada@example.com"] = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5" // cheap to compare with
	for range freeTries {
		if _, err := invitations.Accept(t.Context(), token, "a new one"); !setops.IsCode(err, setops.CredentialsInvalid) {
			t.Fatalf("a wrong password: %v", err)
		}
	}
	if _, err := invitations.Accept(t.Context(), token, "correct horse"); !setops.IsCode(err, setops.Overload) {
		t.Errorf("guesses are not throttled: %v", err)
	}
	c.forward(longestWait)
	g.hashes["ada@example.com"] = adasHash
	u, err := invitations.Accept(t.Context(), token, "correct horse")
	if err != nil || u.ID != "ada@example.com" || g.accepted != adasHash {
		t.Errorf("the right one: %+v, %v", u, err)
	}
}

func TestAFirstPasswordIsSetSoonAfterSigningIn(t *testing.T) {
	i, g, c := invitations(t)
	g.hashes["grace@example.com"] = nobody
	s := NewSessions(withPasswords{g}, c.Now, i.Sessions.log)
	by := setops.Session{ID: "b-1", User: setops.User{Email: "grace@example.com", Organization: "demo"}, CreatedAt: c.Now()}
	c.forward(firstPasswordWithin + time.Second)
	if err := s.ChangePassword(t.Context(), by, "", "staple staple", from); !setops.IsCode(err, setops.SessionInvalid) {
		t.Errorf("of a browser that was left open: %v", err)
	}
	by.CreatedAt = c.Now()
	if err := s.ChangePassword(t.Context(), by, "", "staple staple", from); err != nil {
		t.Error(err)
	}
	if err := s.ChangePassword(t.Context(), by, "", "another staple", from); !setops.IsCode(err, setops.CredentialsInvalid) {
		t.Errorf("the second one needs no present password: %v", err)
	}
}

// withPasswords are guests who change their passwords, by their addresses.
type withPasswords struct{ *guests }

func (w withPasswords) SetPassword(_ context.Context, _, hash, _ string) error {
	w.hashes["grace@example.com"] = hash
	return nil
}
