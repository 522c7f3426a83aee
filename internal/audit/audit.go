// Package audit keeps a log of who did what: what was changed by the API, who signed in, and who was refused. It is for people
// who want to know afterwards; nothing of SetOps decides by it. An event never holds a value of env, a password or a token.
//
// Start with Log.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Actions of signing in. All others are operations of the API, spelled as words: stage commands.
const (
	SignIn        = "sign in"
	RefusedSignIn = "refused sign-in"
	SignOut       = "sign out"
)

// Limits of what is kept of an event, in bytes.
const (
	whatMax = 2000
	// together is how long sign-ins that are refused one after the other are one event.
	together = time.Hour
)

// Store is what the log needs of the store.
type Store interface {
	// AddEvent adds an event. One of that id that is there already counts once more where repeated is true, else it stays as it is.
	AddEvent(ctx context.Context, e setops.Event, repeated bool) error
	Events(ctx context.Context, q setops.EventQuery) ([]setops.Event, error)
	PruneEvents(ctx context.Context, before time.Time) (n int64, err error)
	OrganizationNamed(ctx context.Context, name string) (id string, ok bool, err error)
	Member(ctx context.Context, organization, email string) (u setops.User, ok bool, err error)
	Memberships(ctx context.Context, email string) ([]setops.User, error)
}

// Log is the audit log.
type Log struct {
	Store  Store
	Now    func() time.Time
	NewID  func() string
	Logger *slog.Logger
}

// Record adds what somebody did. An event with an id that is there already is the same one. What cannot be recorded is in the
// server's own log: what was done cannot be undone for it.
func (l *Log) Record(ctx context.Context, e setops.Event) { l.add(ctx, e, false) }

// Complete makes an event as it is kept, for whoever writes it in the transaction of what it tells of.
func (l *Log) Complete(e setops.Event) setops.Event {
	e.At, e.Times = l.Now().UTC(), 1
	if e.ID == "" {
		e.ID = l.NewID()
	}
	if len(e.What) > whatMax {
		e.What = strings.ToValidUTF8(e.What[:whatMax], "") + "…"
	}
	return e
}

func (l *Log) add(ctx context.Context, e setops.Event, repeated bool) {
	e = l.Complete(e)
	if err := l.Store.AddEvent(context.WithoutCancel(ctx), e, repeated); err != nil {
		l.Logger.Error("record what was done", "who", e.Who, "action", e.Action, "what", e.What, "error", err)
	}
}

// SignedIn records that somebody has signed in; how says by what means.
func (l *Log) SignedIn(ctx context.Context, u setops.User, how, from string) {
	l.Record(ctx, setops.Event{OrganizationID: u.OrganizationID, Who: u.Email, Action: SignIn, What: how, Address: from})
}

// SignedOut records that somebody has signed out.
func (l *Log) SignedOut(ctx context.Context, u setops.User) {
	l.Record(ctx, setops.Event{OrganizationID: u.OrganizationID, Who: u.Email, Action: SignOut})
}

// Did records what somebody does with their own account.
func (l *Log) Did(ctx context.Context, u setops.User, action, from string) {
	l.Record(ctx, setops.Event{OrganizationID: u.OrganizationID, Who: u.Email, Action: action, Address: from})
}

// Refused records that somebody could not sign in. Those of one user from one address within an hour are one event with a
// number, so that guessing does not fill the log. Who is no member of the organization is not named: it may be a password, typed into
// the wrong field. Of an organization that is not there nobody reads a log. Without an organization it is known in all that the person belongs to.
func (l *Log) Refused(ctx context.Context, organization, email, from string) {
	if organization == "" {
		all, err := l.Store.Memberships(ctx, email)
		if err != nil {
			l.Logger.Error("record a refused sign-in", "error", err)
		}
		for _, u := range all {
			l.refuse(ctx, u.OrganizationID, u.Email, from)
		}
		return
	}
	id, ok, err := l.Store.OrganizationNamed(ctx, organization)
	if err != nil || !ok {
		return
	}
	who := "(unknown)"
	if u, ok, err := l.Store.Member(ctx, organization, email); err == nil && ok {
		who = u.Email
	}
	l.refuse(ctx, id, who, from)
}

func (l *Log) refuse(ctx context.Context, organizationID, who, from string) {
	hour := l.Now().UTC().Truncate(together)
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d", organizationID, who, from, hour.Unix()))
	l.add(ctx, setops.Event{
		ID: hex.EncodeToString(sum[:]), OrganizationID: organizationID, Who: who, Action: RefusedSignIn, Address: from,
	}, true)
}

// Events gives the newest events that are asked for, oldest first.
func (l *Log) Events(ctx context.Context, q setops.EventQuery) ([]setops.Event, error) {
	return l.Store.Events(ctx, q)
}

// Prune removes what is older than age. It tells how many events.
func (l *Log) Prune(ctx context.Context, age time.Duration) (int64, error) {
	return l.Store.PruneEvents(ctx, l.Now().Add(-age))
}
