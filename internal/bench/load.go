//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/bench/load"
)

// The load: as many users as clients, each of whom does something every second or so.
const (
	loadUsers  = 200
	loadStages = 50
	loadTime   = 60 * time.Second
	loadPause  = time.Second
	idleReads  = 2000
	idlePause  = 5 * time.Millisecond // the one who reads alone sleeps in between, too
	loadGoal   = 5                    // times the idle value
)

// measureLoad compares how long reads take under load and when there is nothing else.
func measureLoad(ctx context.Context, b *bench, res *result) error {
	var args []string
	if b.profile != "" {
		args = []string{"-profile", b.profile}
	}
	s, err := b.openFake(ctx, "load", append(args, "-users", fmt.Sprint(loadUsers))...)
	if err != nil {
		return err
	}
	c := load.Config{
		URL: s.url, Project: projectRef, Stages: loadStages, Tokens: s.tokens[:1],
		Operations: idleReads, Pause: idlePause, ReadOnly: true,
	}
	if err := load.Prepare(ctx, c, s.tokens[0]); err != nil {
		return err
	}
	idle, err := load.Run(ctx, c)
	if err != nil {
		return err
	}
	before := s.cpuTime()
	c.Tokens, c.Operations, c.Duration, c.Pause, c.ReadOnly = s.tokens, 0, loadTime, loadPause, false
	loaded, err := load.Run(ctx, c)
	if err != nil {
		return err
	}
	reportLoad(res, idle, loaded, s.cpuTime()-before)
	return s.stop()
}

func reportLoad(res *result, idle, loaded load.Report, cpu time.Duration) {
	what := fmt.Sprintf("%d clients on %d stages, engine in memory, %s", loadUsers, loadStages, loadTime)
	p99 := versus("Reads of "+what+": 99 % take at most, loaded / idle", []time.Duration{loaded.Percentile(99)},
		[]time.Duration{idle.Percentile(99)}, loadGoal)
	res.add(p99,
		none("The same: answers of a status of 500 and above, or none at all", len(loaded.Faults)),
		none("The same: users of whose commands one was lost, came twice or changed places", len(loaded.Lost)))
	res.note("Load: %.0f operations a second: %d reads, %d commands staged, %d of them committed in %d commits. Half of the reads took at most %s "+
		"under load and %s idle; the server used %.0f %% of a CPU. %s",
		float64(loaded.Operations())/loaded.Took.Seconds(), len(loaded.Reads), loaded.Staged, loaded.Committed, loaded.Commits,
		show(loaded.Percentile(50)), show(idle.Percentile(50)), 100*cpu.Seconds()/loaded.Took.Seconds(), worst(loaded))
}

// none is a count that has to be 0.
func none(what string, n int) row {
	return row{what: what, ours: fmt.Sprint(n), goal: "0", met: n == 0}
}

func worst(r load.Report) string {
	if all := append(r.Faults, r.Lost...); len(all) > 0 {
		return "The first that was wrong: " + all[0]
	}
	return ""
}
