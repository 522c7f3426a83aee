package host_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

func TestATaskThatKeepsEndingIsRestartedMoreAndMoreSeldom(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		begin := time.Now()
		b.ensure(generation("exit", "1"))
		var starts []time.Duration
		for time.Since(begin) < 20*time.Minute {
			pass(100 * time.Millisecond)
			starts = starts[:0]
			for _, task := range b.tasks() {
				if !task.StartedAt.IsZero() {
					starts = append(starts, task.StartedAt.Sub(begin).Round(time.Second))
				}
			}
		}
		slices.Sort(starts) // the first two were made at the same instant
		want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(starts, want) {
			t.Errorf("started after %v", starts)
		}
		all := b.lines(engine.LogQuery{})
		for _, want := range []string{
			"restarting in 2s: exited with code 1 (2nd time)", "restarting after 4s: exited with code 1 (3rd time)",
			"restarting in 8s: exited with code 1 (4th time)",
		} {
			if count(all, want) != 1 {
				t.Errorf("the log does not say %q: %q", want, all)
			}
		}
	})
}

func TestNoRestartIsToldOfThatIsNeverTried(t *testing.T) {
	for name, test := range map[string]struct {
		fault    error
		restarts int
	}{
		"final":      {&host.StartError{Reason: "there is no program"}, 0},
		"third time": {errors.New("no such device"), 2},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.runtime.Fail("Create", test.fault)
				g := generation("wait")
				b.ensure(g)
				if err := b.Await(context.Background(), g.ID); err == nil {
					t.Fatal("it is ready")
				}
				pass(0) // the task in the place of the last one is made
				if err := b.Remove(context.Background(), g.ID, 0); err != nil {
					t.Fatal(err)
				}
				if all := b.lines(engine.LogQuery{}); count(all, "restarting") != test.restarts {
					t.Errorf("got %q", all)
				}
			})
		})
	}
}

func TestARestartInSpiteOfAFinalFailureIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.runtime.Fail("Create", &host.StartError{Reason: "there is no program"})
		b.ensure(generation("wait"))
		pass(1500 * time.Millisecond)
		if all := b.lines(engine.LogQuery{}); count(all, "restarting after 1s: there is no program") != 1 {
			t.Errorf("got %q", all)
		}
	})
}

func TestATaskThatWaitsForItsStartSaysWhy(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.ensure(generation("exit", "1"))
		pass(7500 * time.Millisecond) // the 4th has ended, the 5th waits until 15 s
		tasks := b.tasks()
		last := tasks[len(tasks)-1]
		due := tasks[len(tasks)-2].StoppedAt.Add(8 * time.Second).Format(time.RFC3339)
		if last.Status != setops.Pending || last.Reason != "starts at "+due+": exited with code 1 (4th time)" {
			t.Errorf("got %+v", last)
		}
		if err := b.Stop(context.Background(), last.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if ended := b.task(last.ID); ended.Status != setops.Stopped || ended.Reason != "stopped by a user" {
			t.Errorf("got %+v", ended)
		}
	})
}

func TestATaskThatRanForLongIsRestartedAfterASecond(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		first := b.deploy(generation("sleep", "20m", "exit", "1"))[0]
		pass(20*time.Minute + 500*time.Millisecond)
		second := b.tasks()[1]
		pass(600 * time.Millisecond)
		second = b.task(second.ID)
		if wait := second.StartedAt.Sub(b.task(first.ID).StoppedAt); wait != time.Second {
			t.Errorf("it was restarted after %s", wait)
		}
	})
}

func TestEndedTasksAreListedForAnHour(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		o := engine.OneOff{ID: strings.Repeat("a", 32), Stage: stage, App: "web", Container: generation("exit", "0").Container}
		if _, err := b.Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		pass(59 * time.Minute)
		if b.task(o.ID).Status != setops.Stopped {
			t.Errorf("got %+v", b.task(o.ID))
		}
		b.close()
		b.open() // a restart forgets nothing
		if b.task(o.ID).Status != setops.Stopped {
			t.Errorf("got %+v", b.task(o.ID))
		}
		pass(3 * time.Minute)
		if tasks := b.tasks(); len(tasks) != 0 {
			t.Errorf("got %+v", tasks)
		}
		if files, err := os.ReadDir(filepath.Join(b.cfg.Dir, "records")); err != nil || len(files) != 0 {
			t.Errorf("%d records are left, %v", len(files), err)
		}
	})
}

func TestValuesOfTheEnvironmentAreNotWrittenToDisk(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.deploy(generation("wait"))
		files := 0
		err := filepath.WalkDir(b.cfg.Dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			files++
			raw, err := os.ReadFile(path)
			if bytes.Contains(raw, []byte("hunter2")) {
				t.Errorf("%s has it", path)
			}
			return err
		})
		if err != nil || files < 2 {
			t.Errorf("%d files, %v", files, err)
		}
	})
}

func TestAFullDiskIsNoFaultOfTheApp(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.runtime.Fail("Create", &fs.PathError{Op: "mkdir", Path: "upper", Err: syscall.ENOSPC})
		b.ensure(generation("wait"))
		var gate *engine.GateError
		if err := b.Await(context.Background(), "g1"); !errors.As(err, &gate) || !gate.Fault || gate.Check != "start" {
			t.Errorf("got %+v", gate)
		}
		b.runtime.Fail("Create", nil)
		pass(time.Minute) // it goes on by itself once there is room
		if err := b.Await(context.Background(), "g1"); err != nil {
			t.Error(err)
		}
	})
}

func TestAFaultOfTheRuntimeIsTriedThreeTimes(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.runtime.Fail("Start", errors.New("no such device"))
		b.ensure(generation("wait"))
		var gate *engine.GateError
		if err := b.Await(context.Background(), "g1"); !errors.As(err, &gate) || !gate.Fault ||
			!strings.Contains(gate.Cause, "no such device") {
			t.Errorf("got %+v", gate)
		}
		synctest.Wait()
		if n := count(b.lines(engine.LogQuery{}), "Task status is STOPPED"); n != 3 {
			t.Errorf("%d tasks have ended", n)
		}
	})
}

func TestRemovalGoesOnWhenItsCallerLeavesAndWhenItFails(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		task := b.deploy(generation("wait"))[0]
		b.runtime.Fail("Remove", errors.New("device or resource busy"))
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := b.Remove(ctx, "g1", 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if now := b.task(task.ID); now.Status != setops.Deprovisioning {
			t.Errorf("got %+v", now)
		}
		b.runtime.Fail("Remove", nil)
		if err := b.Remove(context.Background(), "g1", 0); err != nil {
			t.Error(err)
		}
		if now := b.task(task.ID); now.Status != setops.Stopped {
			t.Errorf("got %+v", now)
		}
	})
}

func TestAwaitingEndsWhenTheGenerationIsRemovedOrTheEngineCloses(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		await := func() <-chan error {
			result := make(chan error, 1)
			go func() { result <- b.Await(context.Background(), "g1") }()
			synctest.Wait()
			return result
		}
		b.ensure(generation("wait"))
		awaiting := await()
		if err := b.Remove(context.Background(), "g1", 0); err != nil {
			t.Error(err)
		}
		if err := <-awaiting; err == nil {
			t.Error("a removed generation is ready")
		}
		b.ensure(generation("wait"))
		awaiting = await()
		b.close()
		if err := <-awaiting; err == nil {
			t.Error("a closed engine says it is ready")
		}
		if err := b.Ensure(context.Background(), generation("wait")); err == nil {
			t.Error("a closed engine takes a generation")
		}
	})
}

func TestStoppingWhileTheImageIsFetchedStartsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.runtime.SetImage("sha256:1", fake.Words("wait"))
		b.ensure(generation())
		if err := b.Remove(context.Background(), "g1", 0); err != nil {
			t.Error(err)
		}
		tasks := b.tasks()
		if len(tasks) != 1 || tasks[0].Status != setops.Stopped {
			t.Errorf("got %+v", tasks)
		}
		if left, _ := b.runtime.List(context.Background()); len(left) != 0 {
			t.Errorf("got %+v", left)
		}
	})
}

type slowDrainer struct{}

func (slowDrainer) Drain(ctx context.Context, _ setops.Task) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestDrainingTakesAMinuteAtMost(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.close()
		b.cfg.Drainer = slowDrainer{}
		b.open()
		b.deploy(generation("wait"))
		begin := time.Now()
		if err := b.Remove(context.Background(), "g1", 0); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}
