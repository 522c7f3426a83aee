package host_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

// TestEachStagesLogsAreKeptAsLongAsItSays has tasks of two stages write, lets ten days pass, and waits until the log of the one that
// keeps its logs for a day is gone.
func TestEachStagesLogsAreKeptAsLongAsItSays(t *testing.T) {
	const day = 24 * time.Hour
	days := map[string]time.Duration{"short": 1, "long": 30}
	var later atomic.Int64
	timings := fake.Quick
	timings.Sweep, timings.EndedFor = 5*time.Millisecond, 365*day
	dir := t.TempDir()
	e, err := fake.New(t.Context(), fake.Config{
		Dir: dir, Timings: &timings,
		Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) },
		Logs: host.LogPolicy{Retention: func(_ context.Context, stageID string) (time.Duration, error) {
			return days[stageID] * day, nil
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	for id := range days {
		_, err := e.Run(t.Context(), engine.OneOff{
			ID: id, Stage: setops.StageRef{ID: id, Organization: "demo", Project: "shop", Name: id}, App: "web",
			Container: engine.Container{Image: engine.Image{Repository: "demo/shop/" + id + "/web", Digest: "sha256:1"}, Command: []string{"print", "hello"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Wait(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	lines := func(stageID string) (n int) {
		err := e.ReadLogs(t.Context(), engine.LogQuery{StageID: stageID, App: "web", Source: engine.SourceApp}, func(engine.LogLine) bool { n++; return true })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if lines("short") != 1 || lines("long") != 1 {
		t.Fatalf("%d and %d lines", lines("short"), lines("long"))
	}
	later.Store(int64(10 * day))
	if lines("short") != 0 || lines("long") != 1 {
		t.Errorf("after ten days %d and %d lines", lines("short"), lines("long"))
	}
	for ctx := t.Context(); ; {
		files, err := filepath.Glob(filepath.Join(dir, "logs", "*", "web", "*.log"))
		if err != nil || ctx.Err() != nil {
			t.Fatalf("%v, %v: %v", files, ctx.Err(), err)
		}
		if len(files) == 1 && filepath.Base(files[0]) == "long.1.log" {
			break
		}
		if _, err := os.Stat(filepath.Join(dir, "logs", "long", "web", "long.1.log")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}
