package store

import (
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// adas is a session of Ada's that lives for an hour.
func adas(id string, kind setops.SessionKind) setops.Session {
	return setops.Session{ID: id, User: ada, Kind: kind, Name: "of a test", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func access(hash string) setops.Token {
	return setops.Token{Hash: hash, Use: setops.AccessToken, ExpiresAt: now.Add(time.Hour)}
}

func refresh(hash string) setops.Token {
	return setops.Token{Hash: hash, Use: setops.RefreshToken, ExpiresAt: now.Add(time.Hour)}
}

func isKnown(t *testing.T, s *Store, hash string) bool {
	t.Helper()
	_, ok, err := s.Token(t.Context(), hash)
	must(t, err)
	return ok
}

func TestASessionEndsWithAllItsTokens(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	must(t, s.AddSession(ctx, adas("one", setops.PersonSession), access("a"), refresh("r")))
	must(t, s.AddSession(ctx, adas("two", setops.BrowserSession), access("b")))
	got, ok, err := s.Token(ctx, "a")
	if want := access("a"); err != nil || !ok || got.Use != want.Use || !got.ExpiresAt.Equal(want.ExpiresAt) || got.Session != adas("one", setops.PersonSession) {
		t.Errorf("%+v %v %v", got, ok, err)
	}
	must(t, s.UseSession(ctx, "one", now.Add(time.Minute)))
	all, err := s.Sessions(ctx, ada)
	if err != nil || len(all) != 2 || !all[0].UsedAt.Equal(now.Add(time.Minute)) || !all[1].UsedAt.IsZero() {
		t.Errorf("%+v %v", all, err)
	}
	if ok, err := s.RemoveSession(ctx, bob.ID, "one"); ok || err != nil {
		t.Errorf("somebody else ended it: %v", err)
	}
	if ok, err := s.RemoveSession(ctx, ada.ID, "\x00"); ok || err != nil {
		t.Errorf("there is one that cannot be: %v", err)
	}
	if ok, err := s.RemoveSession(ctx, ada.ID, "one"); !ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	if isKnown(t, s, "a") || isKnown(t, s, "r") || !isKnown(t, s, "b") {
		t.Error("tokens outlive their session, or another one's are gone")
	}
}

func TestWhatHasExpiredIsForgottenAndWhatNeverDoesIsNot(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	never := adas("never", setops.APIToken)
	never.ExpiresAt = time.Time{}
	must(t, s.AddSession(ctx, never, setops.Token{Hash: "n", Use: setops.AccessToken}))
	must(t, s.AddSession(ctx, adas("old", setops.ServiceSession), access("o")))
	later := adas("new", setops.ServiceSession)
	later.CreatedAt, later.ExpiresAt = now.Add(2*time.Hour), now.Add(3*time.Hour)
	must(t, s.AddSession(ctx, later))
	all, err := s.Sessions(ctx, ada)
	must(t, err)
	var ids []string
	for _, one := range all {
		ids = append(ids, one.ID)
	}
	if !slices.Equal(ids, []string{"never", "new"}) || isKnown(t, s, "o") || !isKnown(t, s, "n") {
		t.Errorf("kept are %v", ids)
	}
}

func TestARefreshTokenIsSpentOnceButForAMoment(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	one := adas("one", setops.PersonSession)
	must(t, s.AddSession(ctx, one, access("a1"), refresh("r1")))
	renew := func(hash string, at time.Time, next ...setops.Token) setops.Renewal {
		t.Helper()
		r, err := s.RenewSession(ctx, hash, one, at, time.Minute, next...)
		must(t, err)
		return r
	}
	if got := renew("a1", now); got != setops.TokenUnknown {
		t.Errorf("an access token: %s", got)
	}
	if got := renew("r1", now, access("a2"), refresh("r2")); got != setops.TokenRenewed || !isKnown(t, s, "a2") {
		t.Errorf("the first time: %s", got)
	}
	if got := renew("r1", now.Add(time.Minute), access("a3"), refresh("r3")); got != setops.TokenRenewed || !isKnown(t, s, "a3") {
		t.Errorf("within the grace: %s", got)
	}
	if got := renew("r3", now.Add(time.Hour/2), access("a4")); got != setops.TokenRenewed {
		t.Errorf("what was got within the grace: %s", got)
	}
	if got := renew("r1", now.Add(2*time.Minute)); got != setops.TokenReused || isKnown(t, s, "a2") || isKnown(t, s, "r2") || isKnown(t, s, "a4") {
		t.Errorf("behind the grace: %s, or the session lives on", got)
	}
	if got := renew("r2", now.Add(2*time.Minute)); got != setops.TokenUnknown {
		t.Errorf("a token of the ended session: %s", got)
	}
}

func TestANewPasswordEndsAllSessionsButOneAndKeepsAPITokens(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	for id, kind := range map[string]setops.SessionKind{"mine": setops.BrowserSession, "cli": setops.PersonSession, "api": setops.APIToken} {
		must(t, s.AddSession(ctx, adas(id, kind), access("token of "+id)))
	}
	must(t, s.SetPassword(ctx, ada.ID, "another hash", "mine"))
	if !isKnown(t, s, "token of mine") || isKnown(t, s, "token of cli") || !isKnown(t, s, "token of api") {
		t.Error("the wrong sessions are ended")
	}
	if _, hash, _, err := s.Login(ctx, "demo", ada.Email); err != nil || hash != "another hash" {
		t.Errorf("%q %v", hash, err)
	}
}

func TestADeviceIsDecidedOnceAndRedeemedForAMoment(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	d := setops.Device{Hash: "d", UserCode: "BCDFGHJK", Name: "setops", Address: "192.0.2.1", Interval: 2 * time.Second, CreatedAt: now, ExpiresAt: now.Add(time.Minute)}
	add := func(hash, code, address string) bool {
		t.Helper()
		other := d
		other.Hash, other.UserCode, other.Address = hash, code, address
		ok, err := s.AddDevice(ctx, other, 2, 3)
		must(t, err)
		return ok
	}
	if !add("d", d.UserCode, d.Address) || !add("e", "E", d.Address) || add("f", "F", d.Address) || !add("g", "G", "192.0.2.2") || add("h", "H", "192.0.2.3") {
		t.Error("not as many wait as may")
	}
	for i, hasty := range []bool{false, true, true, false} {
		at := []time.Time{now, now.Add(time.Second), now.Add(7 * time.Second), now.Add(20 * time.Second)}[i]
		got, ok, is, err := s.PollDevice(ctx, "d", at, 5*time.Second)
		if err != nil || !ok || is != hasty || got.UserCode != d.UserCode {
			t.Errorf("poll %d: %+v %v, hasty %v, %v", i, got, ok, is, err)
		}
	}
	if ok, err := s.DecideDevice(ctx, d.UserCode, ada, true, now.Add(2*time.Minute)); ok || err != nil {
		t.Errorf("it was decided too late: %v", err)
	}
	if ok, err := s.DecideDevice(ctx, d.UserCode, ada, true, now); !ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	if ok, err := s.DecideDevice(ctx, d.UserCode, bob, false, now); ok || err != nil {
		t.Errorf("it was decided twice: %v", err)
	}
	if got, ok, err := s.DeviceOfCode(ctx, d.UserCode); err != nil || !ok || got.User != ada || got.Denied {
		t.Errorf("%+v %v %v", got, ok, err)
	}
	must(t, s.RedeemDevice(ctx, "d", adas("one", setops.PersonSession), time.Minute, access("a1")))
	must(t, s.RedeemDevice(ctx, "d", adas("two", setops.PersonSession), time.Minute, access("a2")))
	if all, err := s.Sessions(ctx, ada); err != nil || len(all) != 1 || !isKnown(t, s, "a2") {
		t.Errorf("two answers are two sessions: %+v %v", all, err)
	}
	if err := s.RedeemDevice(ctx, "e", adas("three", setops.PersonSession), time.Minute, access("a3")); err == nil {
		t.Error("a device that nobody allowed was redeemed")
	}
}
