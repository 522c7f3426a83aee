//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/setopsco/setops/internal/engine/kubernetes/meter"
	"github.com/setopsco/setops/pkg/client"
)

// looked is what was measured of the app.
type looked struct {
	commits, rollouts   samples // ours, and of a Deployment that kubectl rolls out
	ps, tasks, pods     samples // app:ps, what it asks the API, and kubectl get pods
	starts              samples
	memory              memory
	cpu                 time.Duration // in idleTime
	commitAsks, idleAsk meter.Counts
}

func (s *scale) look(ctx context.Context) (l looked, err error) {
	err = rounds(scaleRounds,
		func(round int) error {
			took, err := s.commit(ctx)
			l.commits.keep(round, took)
			return err
		},
		func(round int) error {
			return l.rollouts.time(round, func() error { return s.kubectl.replaceCrowd(ctx) })
		},
	)
	if err != nil {
		return l, err
	}
	if err := s.read(ctx, &l); err != nil {
		return l, err
	}
	if l.commitAsks, l.idleAsk, err = s.metered(ctx); err != nil {
		return l, err
	}
	if err := s.startAgain(ctx, &l); err != nil {
		return l, err
	}
	before := s.cpuTime()
	l.memory, err = memoryWhenIdle(ctx, s.pid())
	l.cpu = s.cpuTime() - before
	return l, err
}

// read asks for the tasks of the app.
func (s *scale) read(ctx context.Context, l *looked) error {
	ref := client.AppRef{StageRef: client.StageRef{ProjectRef: projectRef, Stage: stage}, App: appName}
	return rounds(scaleReads,
		func(round int) error {
			return l.ps.time(round, func() error { return s.do(ctx, "app:ps "+appName) })
		},
		func(round int) error {
			return l.tasks.time(round, func() error {
				_, err := s.Tasks(ctx, ref)
				return err
			})
		},
		func(round int) error {
			return l.pods.time(round, func() error {
				_, err := s.kubectl.do(ctx, "", "-n", s.space(), "get", "pods", "-l", "setops.dev/app="+appName)
				return err
			})
		},
	)
}

// startAgain starts the server a few times: it adopts all that runs.
func (s *scale) startAgain(ctx context.Context, l *looked) error {
	return rounds(starts, func(round int) error {
		err := errors.Join(s.stop(), s.start(ctx))
		l.starts.keep(round, s.ready)
		return err
	})
}

// time keeps how long something takes.
func (s *samples) time(round int, what func() error) error {
	began := time.Now()
	err := what()
	s.keep(round, time.Since(began))
	return err
}

// percentile is what p of a hundred samples do not exceed.
func (s samples) percentile(p int) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}

func (r *result) addScale(s *scale, empty, full looked) {
	apps := s.stages * scaleApps
	tasks := apps * scaleTasks
	among := fmt.Sprintf("among %d tasks on %d simulated nodes", tasks, s.stages*scaleNodes)
	ps := full.ps.percentile(99)
	reads := versus("`app:ps` "+among+" / `kubectl get pods`", full.ps, full.pods, 0)
	reads.goal, reads.met = "≤ "+show(scaleRead), ps <= scaleRead
	asks := row{
		what: "Requests of a commit to the cluster " + among + " / alone", ours: fmt.Sprint(full.commitAsks.Sum()), peer: fmt.Sprint(empty.commitAsks.Sum()),
		ratio: fmt.Sprintf("%.2f", float64(full.commitAsks.Sum())/float64(empty.commitAsks.Sum())),
		goal:  fmt.Sprintf("≤ %d", scaleAsked), met: full.commitAsks.Sum() <= scaleAsked,
	}
	r.add(
		versus(fmt.Sprintf("Commit of an app of %d tasks %s / alone", scaleTasks, among), full.commits, empty.commits, scaleRatio),
		versus("The same without the 10 s for which its tasks have to be up", untried(full.commits), untried(empty.commits), scaleRatio),
		versus("The same of a Deployment that `kubectl` rolls out", full.rollouts, empty.rollouts, 0),
		reads, asks,
		row{
			what: "Memory of setopsd " + among, ours: megabytes(full.memory.rss),
			goal: "≤ " + megabytes(scaleMemory), met: full.memory.rss <= scaleMemory,
		},
		versus("Start of setopsd "+among+" / alone, to its ready line", full.starts, empty.starts, 0),
	)
	r.note("%d tasks of %d apps on %d stages, made by setopsd on %d stages at a time: %s, with %d commits that were "+
		"tried again as the cluster did not keep up, and %s of memory at most. `app:ps` took %s (50 %%), %s (99 %%), what it asks the API "+
		"%s and %s. 30 s after a start among them setopsd has %s of its own, and took %.1f %% of a core. A commit asks for %s. A minute in which nobody "+
		"wants anything: %s. Simulated nodes run nothing and have no logs.", tasks, apps, s.stages, scaleAtOnce, show(s.filling), s.again.Load(), s.peak,
		show(full.ps.percentile(50)), show(ps), show(full.tasks.percentile(50)), show(full.tasks.percentile(99)),
		megabytes(full.memory.anonymous), 100*full.cpu.Seconds()/idleTime.Seconds(), full.commitAsks, full.idleAsk)
}
