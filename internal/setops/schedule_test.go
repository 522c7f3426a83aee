package setops_test

import (
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

func TestASchedulesTimeIsFiveFieldsInUTC(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]setops.Validator{
		"0 3 * * *":         "",
		"*/5 0-6 1,15 * 1":  "",
		"59 23 29 2 *":      "",
		"0 3 * * mon-fri":   "",
		"":                  setops.Required,
		"  ":                setops.Required,
		"0 3 * *":           setops.InvalidFormat,
		"0 0 3 * * *":       setops.InvalidFormat,
		"60 3 * * *":        setops.InvalidFormat,
		"*/0 * * * *":       setops.InvalidFormat,
		"@daily":            setops.InvalidFormat,
		"@every 1h":         setops.InvalidFormat,
		"TZ=0":              setops.InvalidFormat,
		"TZ=UTC 0 3 * *":    setops.InvalidFormat,
		"CRON_TZ=X 0 3 * *": setops.InvalidFormat,
		"0 0 30 2 *":        setops.Invalid,
	} {
		broken := setops.CheckCron(text)
		got := setops.Validator("")
		if len(broken) > 0 {
			got = broken[0].Validator
		}
		if got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}

func TestTheNextTimeIsBehindTheGivenOne(t *testing.T) {
	t.Parallel()
	s := setops.Schedule{Cron: "0 3 * * *"}
	berlin := time.FixedZone("CEST", 2*60*60)
	at := time.Date(2026, 7, 1, 4, 59, 59, 0, berlin) // 02:59:59 UTC
	first := s.Next(at)
	if want := time.Date(2026, 7, 1, 3, 0, 0, 0, time.UTC); !first.Equal(want) || first.Location() != time.UTC {
		t.Errorf("%s, not %s", first, want)
	}
	if second := s.Next(first); second.Sub(first) != 24*time.Hour {
		t.Errorf("%s comes behind %s", second, first)
	}
}

func FuzzNoTextOfAScheduleBreaksTheParser(f *testing.F) {
	f.Add("0 3 * * *")
	f.Add("TZ= * * * *")
	f.Add("*/-1 * * * *")
	f.Fuzz(func(t *testing.T, text string) {
		if len(setops.CheckCron(text)) == 0 && (setops.Schedule{Cron: text}).Next(time.Unix(1e9, 0)).IsZero() {
			t.Errorf("%q is accepted and never comes", text)
		}
	})
}
