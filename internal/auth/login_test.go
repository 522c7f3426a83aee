package auth_test

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
)

// house is a store with Ada in it, and a time that only a test moves.
type house struct {
	*auth.Sessions
	invitations auth.Invitations
	store       *store.Store
	now         time.Time
	ada         setops.User
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{now: time.Unix(1_700_000_000, 0), ada: setops.User{ID: "u-ada", Email: "ada@example.com", Organization: "demo"}}
	s := storetest.Open(t)
	id, err := s.AddOrganization(t.Context(), "o-1", "demo", h.now)
	if err == nil {
		h.ada.OrganizationID = id
		err = s.AddUser(t.Context(), h.ada, adasHash, id, h.now)
	}
	if err != nil {
		t.Fatal(err)
	}
	h.store = s
	h.Sessions = auth.NewSessions(s, func() time.Time { return h.now }, slog.New(slog.DiscardHandler))
	h.invitations = auth.Invitations{Store: s, Sessions: h.Sessions, Key: []byte("key"), NewID: rand.Text}
	return h
}

// adasHash is computed once: it costs much by design.
var adasHash = auth.HashPassword("correct horse battery")

func (h *house) forward(d time.Duration) { h.now = h.now.Add(d) }

// signIn signs Ada in, in a browser, without a password: hashing costs much by design.
func (h *house) signIn(t *testing.T) auth.Grant {
	t.Helper()
	return must(t)(h.invitations.SignInVerified(t.Context(), "Ada@example.com", "", "a browser"))
}

func must(t *testing.T) func(auth.Grant, error) auth.Grant {
	return func(g auth.Grant, err error) auth.Grant {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
}

// device signs a program of Ada's in.
func (h *house) device(t *testing.T) auth.Grant {
	t.Helper()
	d, code, err := h.BeginDevice(t.Context(), "setops on a test", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.Decide(t.Context(), h.signIn(t).Session, strings.ToLower(auth.ShownCode(d.UserCode)), true); !ok || err != nil {
		t.Fatal(ok, err)
	}
	return must(t)(h.RedeemDevice(t.Context(), code))
}

func isOver(t *testing.T, err error) {
	t.Helper()
	if !setops.IsCode(err, setops.SessionInvalid) {
		t.Errorf("the session is not over: %v", err)
	}
}

func TestAPersonsSessionIsRenewedByItsUseAndNotForEver(t *testing.T) {
	h := newHouse(t)
	g := h.device(t)
	began := h.now
	if !g.ExpiresAt.Equal(h.now.Add(auth.AccessTokenLife)) || g.Session.User != h.ada {
		t.Errorf("%+v", g)
	}
	h.forward(auth.AccessTokenLife)
	_, _, err := h.CheckToken(t.Context(), g.Token)
	isOver(t, err)
	g = must(t)(h.Renew(t.Context(), g.Refresh))
	for h.now.Sub(began) < auth.PersonLife-auth.RefreshTokenLife {
		h.forward(auth.RefreshTokenLife - time.Second)
		g = must(t)(h.Renew(t.Context(), g.Refresh))
		if _, _, err := h.CheckToken(t.Context(), g.Token); err != nil {
			t.Fatal(err)
		}
	}
	if end := began.Add(auth.PersonLife); !g.Session.ExpiresAt.Equal(end) {
		t.Errorf("it lives until %s, not %s", g.Session.ExpiresAt, end)
	}
	h.now = began.Add(auth.PersonLife)
	_, err = h.Renew(t.Context(), g.Refresh)
	isOver(t, err)
}

func TestARefreshTokenThatComesLateAgainEndsItsSession(t *testing.T) {
	h := newHouse(t)
	first := h.device(t)
	second := must(t)(h.Renew(t.Context(), first.Refresh))
	h.forward(time.Minute)
	third := must(t)(h.Renew(t.Context(), first.Refresh)) // its answer got lost, or another program of the user was as fast
	h.forward(time.Second)
	if _, err := h.Renew(t.Context(), first.Refresh); !setops.IsCode(err, setops.SessionInvalid) || !strings.Contains(err.Error(), "for safety") {
		t.Errorf("%v", err)
	}
	for _, g := range []auth.Grant{first, second, third} {
		_, _, err := h.CheckToken(t.Context(), g.Token)
		isOver(t, err)
		_, err = h.Renew(t.Context(), g.Refresh)
		isOver(t, err)
	}
}

func TestATokenIsGoodForWhatItWasMadeForAlone(t *testing.T) {
	h := newHouse(t)
	person, browser := h.device(t), h.signIn(t)
	for what, err := range map[string]error{
		"a refresh token at the API":   second(h.Check(t.Context(), person.Refresh)),
		"a cookie at the API":          second(h.Check(t.Context(), browser.Token)),
		"an access token as a cookie":  second(h.CheckBrowser(t.Context(), person.Token)),
		"an access token as a refresh": second(h.Renew(t.Context(), person.Token)),
		"a cookie as a refresh":        second(h.Renew(t.Context(), browser.Token)),
	} {
		if !setops.IsCode(err, setops.SessionInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAProgramWaitsForAPerson(t *testing.T) {
	h := newHouse(t)
	ctx, ada := t.Context(), h.signIn(t).Session
	d, code, err := h.BeginDevice(ctx, "setops", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	poll := func(want error) {
		t.Helper()
		if _, err := h.RedeemDevice(ctx, code); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	poll(auth.ErrDevicePending)
	h.forward(auth.DeviceInterval - time.Millisecond)
	poll(auth.ErrDeviceHasty)
	h.forward(10 * time.Second)
	poll(auth.ErrDevicePending)
	if ok, err := h.Decide(ctx, ada, d.UserCode, false); !ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	poll(auth.ErrDeviceDenied)
	if ok, err := h.Decide(ctx, ada, d.UserCode, true); ok || err != nil {
		t.Errorf("what was denied is allowed: %v", err)
	}
	if d, code, err = h.BeginDevice(ctx, "setops", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	h.forward(auth.DeviceLife)
	poll(auth.ErrDeviceExpired)
	if ok, err := h.Decide(ctx, ada, d.UserCode, true); ok || err != nil {
		t.Errorf("it is allowed too late: %v", err)
	}
	code = "nonsense"
	poll(auth.ErrDeviceExpired)
}

func TestTheSecondAnswerToAProgramIsOfTheSameSession(t *testing.T) {
	h := newHouse(t)
	d, code, err := h.BeginDevice(t.Context(), "setops", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Decide(t.Context(), h.signIn(t).Session, d.UserCode, true); err != nil {
		t.Fatal(err)
	}
	must(t)(h.RedeemDevice(t.Context(), code))
	again := must(t)(h.RedeemDevice(t.Context(), code))
	if _, _, err := h.CheckToken(t.Context(), again.Token); err != nil {
		t.Error(err)
	}
	if all, err := h.List(t.Context(), h.ada); err != nil || len(all) != 2 { // and the browser
		t.Errorf("%+v %v", all, err)
	}
	h.forward(time.Minute)
	if _, err := h.RedeemDevice(t.Context(), code); !errors.Is(err, auth.ErrDeviceExpired) {
		t.Errorf("a device code lives on: %v", err)
	}
}

func TestGuessingCodesGetsSlower(t *testing.T) {
	h := newHouse(t)
	for range 5 {
		if _, ok, err := h.Device(t.Context(), h.ada, "BBBB-BBBB"); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if _, _, err := h.Device(t.Context(), h.ada, "CCCC-CCCC"); !setops.IsCode(err, setops.Overload) {
		t.Errorf("%v", err)
	}
}

func TestAnAPITokenIsListedAndDestroyedAndMakesNoOther(t *testing.T) {
	h := newHouse(t)
	ctx, by := t.Context(), h.signIn(t).Session
	for name, life := range map[string]time.Duration{"": 0, strings.Repeat("x", 65): 0, "a\nb": 0, "x": -1} {
		if _, err := h.CreateToken(ctx, by, name, life); !setops.IsCode(err, setops.ValidationFailed) {
			t.Errorf("%q %v: %v", name, life, err)
		}
	}
	forever, short := must(t)(h.CreateToken(ctx, by, " ci ", 0)), must(t)(h.CreateToken(ctx, by, "short", time.Hour))
	token, err := h.Check(ctx, forever.Token)
	if err != nil || token.Session.User != h.ada || token.Session.Name != "ci" {
		t.Errorf("%+v %v", token, err)
	}
	if _, err := h.CreateToken(ctx, token.Session, "another", 0); !setops.IsCode(err, setops.CodeInsufficientPrivileges) {
		t.Errorf("a token made another: %v", err)
	}
	h.forward(time.Hour)
	_, _, err = h.CheckToken(ctx, short.Token)
	isOver(t, err)
	h.forward(100 * 365 * 24 * time.Hour)
	if _, _, err := h.CheckToken(ctx, forever.Token); err != nil {
		t.Errorf("a token that never expires: %v", err)
	}
	all, err := h.Tokens(ctx, h.ada)
	if err != nil || len(all) != 1 || all[0].ID != forever.Session.ID || all[0].UsedAt.Before(h.now.Add(-time.Minute)) {
		t.Errorf("%+v %v", all, err)
	}
	other := h.ada
	other.ID = "u-bob"
	if err := h.End(ctx, other, forever.Session.ID); !setops.IsCode(err, setops.ValidationFailed) {
		t.Errorf("somebody else destroyed it: %v", err)
	}
	if err := h.End(ctx, h.ada, forever.Session.ID); err != nil {
		t.Error(err)
	}
	_, _, err = h.CheckToken(ctx, forever.Token)
	isOver(t, err)
}

func TestANewPasswordNeedsTheOldOneAndEndsOtherSessions(t *testing.T) {
	h := newHouse(t)
	ctx, device, browser := t.Context(), h.device(t), h.signIn(t)
	token := must(t)(h.CreateToken(ctx, browser.Session, "ci", 0))
	const present, next = "correct horse battery", "staple staple"
	if err := h.ChangePassword(ctx, browser.Session, present, "short", "x"); !setops.IsCode(err, setops.ValidationFailed) {
		t.Errorf("a short one: %v", err)
	}
	if err := h.ChangePassword(ctx, browser.Session, "wrong", next, "x"); !setops.IsCode(err, setops.CredentialsInvalid) {
		t.Errorf("with a wrong one: %v", err)
	}
	if err := h.ChangePassword(ctx, browser.Session, present, next, "x"); err != nil {
		t.Fatal(err)
	}
	_, _, err := h.CheckToken(ctx, device.Token)
	isOver(t, err)
	if _, err := h.CheckBrowser(ctx, browser.Token); err != nil {
		t.Errorf("the browser: %v", err)
	}
	if _, _, err := h.CheckToken(ctx, token.Token); err != nil {
		t.Errorf("the API token: %v", err)
	}
	if _, err := h.CheckPassword(ctx, "demo", "ada@example.com", next, "x"); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestOnlyUsersAndWhoIsInvitedAreSignedInByAnother(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	if _, err := h.invitations.SignInVerified(ctx, "grace@example.com", "demo", "a browser"); !setops.IsCode(err, setops.CredentialsInvalid) {
		t.Errorf("a stranger: %v", err)
	}
	err := h.store.AddProject(ctx, h.ada.OrganizationID, setops.Project{ID: "p-1", Name: "shop", CreatedAt: h.now}, h.ada)
	if err == nil {
		_, err = h.invitations.Invite(ctx, setops.Invitation{
			ID: "i-1", Email: "grace@example.com", OrganizationID: h.ada.OrganizationID, ScopeID: "p-1", Role: setops.Member,
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // invited, and a user
		g := must(t)(h.invitations.SignInVerified(ctx, "Grace@Example.com", "demo", "a browser"))
		roles, err := h.store.Roles(ctx, g.Session.User.ID)
		if err != nil || roles["p-1"] != setops.Member || g.Session.User.Email != "grace@example.com" {
			t.Errorf("%+v has the roles %v; %v", g.Session.User, roles, err)
		}
	}
	if _, err := h.CheckPassword(ctx, "demo", "grace@example.com", "", "x"); !setops.IsCode(err, setops.CredentialsInvalid) {
		t.Errorf("an account without a password has one: %v", err)
	}
}
