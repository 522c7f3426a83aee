package host_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

func TestAnIllTaskIsReplacedAfterItsRetriesAndGoesLast(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		g.HealthCheck = lacking("ill")
		first := b.deploy(g)[0]
		if first.Health != setops.Healthy || time.Since(first.StartedAt) > time.Second {
			t.Fatalf("got %+v", first)
		}
		b.touch(first.ID, "ill")
		pass(59 * time.Second) // 4 failures after the start period
		if now := b.task(first.ID); now.Health != setops.Healthy || len(b.tasks()) != 1 {
			t.Errorf("got %+v", b.tasks())
		}
		pass(2 * time.Second) // the 5th; the replacement waits a second
		if now := b.task(first.ID); now.Status != setops.Stopped || now.Health != setops.Unhealthy ||
			!strings.HasPrefix(now.Reason, "container health check failed 5 times: exit code 1") {
			t.Errorf("got %+v", now)
		}
		if tasks := b.tasks(); len(tasks) != 2 || tasks[1].Status != setops.Running {
			t.Errorf("got %+v", tasks)
		}
	})
}

func TestATaskThatRecoversBeforeItsReplacementRunsStays(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		g.HealthCheck = lacking("ill")
		first := b.deploy(g)[0]
		b.touch(first.ID, "ill")
		b.runtime.Fail("Start", errors.New("no such device")) // no replacement gets up
		pass(65 * time.Second)
		if now := b.task(first.ID); now.Health != setops.Unhealthy || now.Status != setops.Running {
			t.Fatalf("got %+v", now)
		}
		b.drop(first.ID, "ill")
		pass(10 * time.Second)
		b.runtime.Fail("Start", nil)
		pass(10 * time.Minute)
		running := 0
		for _, task := range b.tasks() {
			if !task.Status.Ended() {
				running++
			}
		}
		if now := b.task(first.ID); now.Status != setops.Running || now.Health != setops.Healthy || running != 1 {
			t.Errorf("%d run, got %+v", running, now)
		}
	})
}

func TestChangedChecksApplyToTasksThatRun(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		task := b.deploy(g)[0]
		if task.Health != setops.Unknown {
			t.Errorf("got %+v", task)
		}
		g.HealthCheck = lacking("ill")
		b.ensure(g)
		pass(time.Second)
		if now := b.task(task.ID); now.Health != setops.Healthy {
			t.Errorf("with a check: %+v", now)
		}
		g.HealthCheck = nil
		b.ensure(g)
		synctest.Wait()
		if now := b.task(task.ID); now.Health != setops.Unknown || now.Status != setops.Running {
			t.Errorf("without it: %+v", now)
		}
		before := count(b.lines(engine.LogQuery{All: true}), "passed")
		pass(time.Minute)
		if after := count(b.lines(engine.LogQuery{All: true}), "passed"); after != before {
			t.Error("it still runs")
		}
		if len(b.tasks()) != 1 {
			t.Errorf("got %+v", b.tasks())
		}
	})
}

func TestPassesAreLoggedForThoseWhoAsk(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		g.HealthCheck = lacking("ill")
		b.deploy(g)
		pass(time.Minute)
		if n := count(b.lines(engine.LogQuery{}), "passed"); n != 0 {
			t.Errorf("%d lines", n)
		}
		if n := count(b.lines(engine.LogQuery{All: true}), "passed"); n < 6 {
			t.Errorf("%d lines with All", n)
		}
	})
}

func TestACheckThatHangsIsAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		g.HealthCheck = &setops.HealthCheck{Command: []string{"testapp", "sleep", "1h"}, Interval: 10, Timeout: 3, Retries: 2}
		b.ensure(g)
		var gate *engine.GateError
		err := b.Await(context.Background(), "g1")
		if !errors.As(err, &gate) || gate.Cause != "container health check failed 2 times: no answer within 3s" {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheStartTimeoutNamesTheCheckAndItsLastAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		g.NetworkCheck = &setops.NetworkCheck{Protocol: setops.TCP}
		begin := time.Now()
		b.ensure(g)
		err := b.Await(context.Background(), "g1")
		var gate *engine.GateError
		if !errors.As(err, &gate) || gate.Check != "network health check" ||
			!strings.Contains(gate.Cause, "nothing listens on port 5000; the task listens on no port (start timeout 1m0s)") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begin); took < time.Minute || took > 61*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestAContainerCheckThatNeverPassesIsGivenUpAtTheStartTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		g.HealthCheck = &setops.HealthCheck{Command: []string{"false"}, Interval: 10, Timeout: 5, Retries: 30}
		b.ensure(g)
		var gate *engine.GateError
		err := b.Await(context.Background(), "g1")
		if !errors.As(err, &gate) || gate.Check != "container health check" || !strings.Contains(gate.Cause, "exit code 1") {
			t.Errorf("got %v", err)
		}
	})
}
