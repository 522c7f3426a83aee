package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/audit"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
)

var ada = setops.User{ID: "u-ada", Email: "ada@example.com", OrganizationID: "o-1", Organization: "demo"}

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// begun gives the log of organization demo, which ada is a member of, at a time that only the test moves.
func begun(t *testing.T) (*audit.Log, *store.Store, *time.Time) {
	t.Helper()
	s := storetest.Open(t)
	now := time.Date(2026, 10, 23, 16, 0, 0, 0, time.UTC)
	_, err := s.AddOrganization(t.Context(), "o-1", "demo", now)
	if err = errors.Join(err, s.AddUser(t.Context(), ada, "hash", "o-1", now)); err != nil {
		t.Fatal(err)
	}
	n := 0
	l := &audit.Log{
		Store: s, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		NewID: func() string { n++; return fmt.Sprint("e-", n) },
	}
	return l, s, &now
}

// lines gives events as text.
func lines(t *testing.T, l *audit.Log, q setops.EventQuery) string {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	events, err := l.Events(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s %s %s %s %d\n", e.At.Format("15:04"), e.Who, e.Action, e.What, e.Address, e.Times)
	}
	return b.String()
}

func TestEventsAreReadByTheirPlaceAndTime(t *testing.T) {
	l, _, now := begun(t)
	for _, e := range []setops.Event{
		{Who: "ada", Action: "one"},
		{Who: "ada", Action: "two", ProjectID: "p-1", Project: "shop"},
		{Who: "ada", Action: "three", ProjectID: "p-1", Project: "shop", StageID: "s-1", Stage: "production"},
		{Who: "ada", Action: "four", ProjectID: "p-2", Project: "shop"}, // of the same name, after the first one was destroyed
	} {
		e.OrganizationID = "o-1"
		l.Record(t.Context(), e)
		*now = now.Add(time.Minute)
	}
	start := now.Add(-4 * time.Minute)
	for name, test := range map[string]struct {
		q    setops.EventQuery
		want string
	}{
		"organization": {setops.EventQuery{OrganizationID: "o-1"}, "one two three four"},
		"project":      {setops.EventQuery{ProjectID: "p-1"}, "two three"},
		"stage":        {setops.EventQuery{StageID: "s-1"}, "three"},
		"the newest":   {setops.EventQuery{OrganizationID: "o-1", Limit: 2}, "three four"},
		"after":        {setops.EventQuery{OrganizationID: "o-1", After: start.Add(time.Minute)}, "three four"},
		"before":       {setops.EventQuery{OrganizationID: "o-1", Before: start.Add(time.Minute)}, "one"},
		"elsewhere":    {setops.EventQuery{OrganizationID: "o-2"}, ""},
	} {
		var got []string
		for line := range strings.Lines(lines(t, l, test.q)) {
			got = append(got, strings.Fields(line)[2])
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnEventWithAnIdIsRecordedOnce(t *testing.T) {
	l, _, _ := begun(t)
	for range 2 {
		l.Record(t.Context(), setops.Event{ID: "request", OrganizationID: "o-1", Who: "ada", Action: "create project"})
	}
	if got := lines(t, l, setops.EventQuery{OrganizationID: "o-1"}); got != "16:00 ada create project   1\n" {
		t.Error(got)
	}
}

func TestGuessingDoesNotFillTheLogAndNamesNobodyWhoIsNotThere(t *testing.T) {
	l, _, now := begun(t)
	for range 3 {
		l.Refused(t.Context(), "demo", "ada@example.com", "192.0.2.1")
		l.Refused(t.Context(), "demo", "my secret password", "192.0.2.1")
		l.Refused(t.Context(), "demo", "another one", "192.0.2.1")
		l.Refused(t.Context(), "nowhere", "ada@example.com", "192.0.2.1")
		*now = now.Add(time.Minute)
	}
	*now = now.Add(time.Hour)
	l.Refused(t.Context(), "demo", "ada@example.com", "192.0.2.1")
	got := lines(t, l, setops.EventQuery{OrganizationID: "o-1"})
	for _, want := range []string{"(unknown) refused sign-in  192.0.2.1 6\n", "16:02 ada@example.com refused sign-in  192.0.2.1 3\n", "17:03 ada@example.com refused sign-in  192.0.2.1 1\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "secret") || strings.Count(got, "\n") != 3 {
		t.Error(got)
	}
}

func TestOldEventsAreRemoved(t *testing.T) {
	l, _, now := begun(t)
	l.SignedIn(t.Context(), ada, "with password", "192.0.2.1")
	*now = now.Add(48 * time.Hour)
	l.SignedOut(t.Context(), ada)
	if n, err := l.Prune(t.Context(), 24*time.Hour); n != 1 || err != nil {
		t.Errorf("%d were removed; %v", n, err)
	}
	if got := lines(t, l, setops.EventQuery{OrganizationID: "o-1"}); got != "16:00 ada@example.com sign out   1\n" {
		t.Error(got)
	}
}

func TestALongEventIsCutAndAFaultIsLogged(t *testing.T) {
	l, _, _ := begun(t)
	l.Record(t.Context(), setops.Event{OrganizationID: "o-1", Who: "ada", Action: "stage commands", What: strings.Repeat("ä", 5000)})
	events, err := l.Events(t.Context(), setops.EventQuery{OrganizationID: "o-1", Limit: 1})
	if err != nil || len(events[0].What) > 2010 || !strings.HasSuffix(events[0].What, "ä…") {
		t.Errorf("%d bytes, %v", len(events[0].What), err)
	}
	var log bytes.Buffer
	l.Logger = slog.New(slog.NewTextHandler(&log, nil))
	l.Record(t.Context(), setops.Event{OrganizationID: "nowhere", Who: "ada", Action: "create project"})
	if !strings.Contains(log.String(), "create project") {
		t.Errorf("nobody is told: %q", log.String())
	}
}
