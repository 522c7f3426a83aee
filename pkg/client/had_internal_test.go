package client

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

func TestWhatWasHadIsWrittenByTask(t *testing.T) {
	var h had
	noon := time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)
	h.add("an older server's", api.LogLine{Time: noon, TaskID: "a"})
	if h.String() != "" {
		t.Errorf("got %s", h.String())
	}
	h.add("T/a/1.10", api.LogLine{Time: noon, TaskID: "a"})
	h.add("T/b/1.20", api.LogLine{Time: noon.Add(-time.Minute), TaskID: "b"})
	h.add("T/a/2.5", api.LogLine{Time: noon.Add(time.Second), TaskID: "a"})
	h.begin(noon.Add(time.Hour))
	if got := h.String(); got != "2026-03-17T12:00:00Z,b/1.20,a/2.5" {
		t.Errorf("got %s", got)
	}
	h.forget("b")
	if got := h.String(); got != "2026-03-17T12:00:00Z,a/2.5" {
		t.Errorf("got %s", got)
	}
}

func TestOnlyTheTasksThatWroteLastHaveAPlace(t *testing.T) {
	var h had
	noon := time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)
	for i := range 3 * maxHad {
		task := fmt.Sprintf("%032d", i)
		h.add("T/"+task+"/1000.8388608", api.LogLine{Time: noon.Add(time.Duration(i) * time.Second), TaskID: task})
	}
	got := h.String()
	since := noon.Add((2*maxHad - 1) * time.Second).Format(time.RFC3339)
	if len(got) > 8000 || !strings.HasPrefix(got, since+","+fmt.Sprintf("%032d/", 2*maxHad)) || strings.Count(got, ",") != maxHad {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
