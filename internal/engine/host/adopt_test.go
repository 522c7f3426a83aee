package host_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

func TestLabelsReplaceARecordThatWasLost(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		before := b.deploy(generation("wait"))[0]
		b.close()
		if err := os.WriteFile(filepath.Join(b.cfg.Dir, "records", before.ID+".json"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		b.open()
		synctest.Wait()
		after := b.task(before.ID)
		if after.Status != setops.Activating || after.App != "web" || after.Release != 1 || after.Digest != "sha256:1" ||
			after.Address != before.Address || !after.CreatedAt.Equal(before.CreatedAt) {
			t.Errorf("got %+v", after)
		}
		if tasks := b.deploy(generation("wait")); len(tasks) != 1 || tasks[0].Status != setops.Running {
			t.Errorf("got %+v", tasks)
		}
	})
}

func TestATaskWhoseContainerWasHalfMadeHasEnded(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		before := b.deploy(generation("wait"))[0]
		b.close()
		if err := b.runtime.Remove(context.Background(), before.ID); err != nil {
			t.Fatal(err)
		}
		half := host.Spec{ID: before.ID, Stage: stage, Container: generation("wait").Container}
		if _, err := b.runtime.Create(context.Background(), half); err != nil { // it has no labels yet
			t.Fatal(err)
		}
		b.open()
		synctest.Wait()
		if after := b.task(before.ID); after.Status != setops.Stopped {
			t.Errorf("got %+v", after)
		}
		if left, err := b.runtime.List(context.Background()); err != nil || len(left) > 0 {
			t.Errorf("left: %+v, %v", left, err)
		}
	})
}

func TestAfterTheLossOfTheMachineTasksAreStopped(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		before := b.deploy(generation("wait"))[0]
		b.close()
		if err := b.runtime.Close(); err != nil {
			t.Fatal(err)
		}
		b.open()
		after := b.task(before.ID)
		if after.Status != setops.Stopped || after.ExitCode != nil || !strings.Contains(after.Reason, "machine") {
			t.Errorf("got %+v", after)
		}
		if n := count(b.lines(engine.LogQuery{TaskID: before.ID}), "Task status is STOPPED"); n != 1 {
			t.Errorf("%d last lines", n)
		}
		if o, err := b.Observe(context.Background()); err != nil || len(o.Generations) != 0 {
			t.Errorf("got %+v, %v", o, err)
		}
		if tasks := b.deploy(generation("wait")); len(tasks) != 2 {
			t.Errorf("got %+v", tasks)
		}
	})
}

func TestATaskThatWasBeingStoppedIsStoppedOn(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		task := b.deploy(generation("ignore-term", "wait"))[0]
		if err := b.Stop(context.Background(), task.ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if now := b.task(task.ID); now.Status != setops.Stopping {
			t.Fatalf("got %+v", now)
		}
		b.close()
		b.open()
		pass(2 * time.Minute)
		if now := b.task(task.ID); now.Status != setops.Stopped || now.Reason != "stopped by a user" || *now.ExitCode != 137 {
			t.Errorf("got %+v", now)
		}
	})
}

func TestTasksOfAGenerationThatNobodyWantsGoOnUntilTheyAreRemoved(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		task := b.deploy(generation("wait"))[0]
		b.close()
		b.open()
		pass(time.Hour)
		if now := b.task(task.ID); now.Status != setops.Running {
			t.Errorf("got %+v", now)
		}
		if err := b.Remove(context.Background(), "g1", 0); err != nil {
			t.Error(err)
		}
		if now := b.task(task.ID); now.Status != setops.Stopped {
			t.Errorf("got %+v", now)
		}
	})
}

func TestAContainerThatNeverStartedIsRemoved(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ctx := context.Background()
		if err := b.EnsureStage(ctx, stage, 0); err != nil {
			t.Fatal(err)
		}
		half := strings.Repeat("b", 32)
		_, err := b.runtime.Create(ctx, host.Spec{ID: half, Stage: stage, App: "web", Labels: map[string]string{
			"setops.stage-id": stage.ID, "setops.app": "web", "setops.generation": "g1",
		}})
		if err != nil {
			t.Fatal(err)
		}
		strange := strings.Repeat("c", 32)
		if _, err := b.runtime.Create(ctx, host.Spec{ID: strange, Stage: stage}); err != nil {
			t.Fatal(err)
		}
		b.close()
		b.open()
		synctest.Wait()
		if left, _ := b.runtime.List(ctx); len(left) != 0 {
			t.Errorf("got %+v", left)
		}
		if now := b.task(half); now.Status != setops.Stopped {
			t.Errorf("got %+v", now)
		}
	})
}

func TestClosingAmidABackOffLeavesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.runtime.SetImage("sha256:1", fake.Exit(1, 0))
		b.ensure(generation())
		pass(4 * time.Second)
		b.close()
		b.open()
		for _, task := range b.tasks() {
			if task.Status != setops.Stopped {
				t.Errorf("got %+v", task)
			}
		}
	})
}

func TestAStageIsForgottenWithItsImagesThoughTheServerWasRestarted(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ctx := context.Background()
		if err := b.EnsureStage(ctx, stage, 0); err != nil {
			t.Fatal(err)
		}
		if err := b.Prepare(ctx, generation().Container.Image); err != nil {
			t.Fatal(err)
		}
		b.close()
		b.open()
		if err := b.RemoveStage(ctx, stage.ID); err != nil {
			t.Fatal(err)
		}
		if images := b.runtime.Prepared(); len(images) != 0 {
			t.Errorf("got %v", images)
		}
	})
}
