package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// same compares a plan with the text of one, whose indentation and digests do not count.
func same(t *testing.T, p plan.Plan, want string) {
	t.Helper()
	got := p.String()
	for n := range 10 {
		got = strings.ReplaceAll(got, digest(n), "DIGEST"+string(rune('0'+n)))
	}
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line+"\n")
		}
	}
	if want = strings.Join(lines, ""); got != want {
		t.Errorf("the plan is\n%s\nnot\n%s", got, want)
	}
}

func TestTheFirstDeploy(t *testing.T) {
	w := running(t)
	p, _ := w.plan(t, &changeset.AppCreate{AppName: "web"}, release("web", 1), activate("web", 1))
	same(t, p, `
		make network: the stage has no network yet
		prepare image of web: tasks start from DIGEST1
		start web-1: release 1 of app web starts [after prepare image of web, make network]
		await web-1: traffic moves only to tasks that are proven [after start web-1]
		switch: the stage becomes what was staged, all of it at once [after await web-1]
	`)
	if got := len(p.Before()); got != 5 || len(p.After()) != 0 {
		t.Errorf("%d steps before the commit point", got)
	}
}

func TestAnAppWithoutAReleaseNeedsNoTasks(t *testing.T) {
	p, _ := running(t).plan(t, &changeset.AppCreate{AppName: "web"}, release("web", 1))
	same(t, p, `switch: the stage becomes what was staged, all of it at once`)
}

func TestANewReleaseReplacesTheOldOneAfterTheSwitch(t *testing.T) {
	w := running(t, "web")
	p, _ := w.plan(t, release("web", 2), activate("web", 2))
	same(t, p, `
		prepare image of web: tasks start from DIGEST2
		start web-2: release 1 → 2 [after prepare image of web]
		await web-2: traffic moves only to tasks that are proven [after start web-2]
		switch: the stage becomes what was staged, all of it at once [after await web-2]
		remove web-1: its successor serves [after switch]
	`)
	if got := len(p.Before()); got != 4 {
		t.Errorf("%d steps are counted, not 4", got)
	}
}

func TestAnotherReleaseOfTheSameImageMakesNewTasks(t *testing.T) {
	w := running(t, "web")
	p, _ := w.plan(t, &changeset.ReleaseCreate{AppName: "web", Digest: digest(1), ID: 7}, activate("web", 7))
	if !strings.Contains(p.String(), "start web-2: release 1 → 7") {
		t.Errorf("the plan is\n%s", p)
	}
}

func TestWhatTasksAreMadeFromMakesNewOnes(t *testing.T) {
	for name, test := range map[string]struct {
		command changeset.Command
		cause   string
	}{
		"env":         {&changeset.EnvSet{AppName: "web", Key: "A", Value: "s1:x"}, "the environment changed"},
		"port":        {&changeset.NetworkSet{AppName: "web", Port: new(80)}, "port 5000 → 80"},
		"cpu":         {&changeset.ResourceSet{AppName: "web", CPU: new(256)}, "cpu or memory changed"},
		"memory":      {&changeset.ResourceSet{AppName: "web", Memory: new(512)}, "cpu or memory changed"},
		"command":     {&changeset.ContainerSet{AppName: "web", Command: []string{"puma"}}, "the command or the entrypoint changed"},
		"entrypoint":  {&changeset.ContainerSet{AppName: "web", Entrypoint: []string{"sh"}}, "the command or the entrypoint changed"},
		"stop":        {&changeset.ContainerSet{AppName: "web", StopTimeout: new(90)}, "what its tasks are made from changed"},
		"destroyed":   {nil, "app web is made anew"},
		"description": {&changeset.EnvSet{AppName: "web", Key: "A", Value: "s1:x", Description: "d"}, "the environment changed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := running(t, "web")
			if test.command == nil {
				delete(w.spec.Apps, "web") // as after a restore of an older state
				p := plan.Make(w.input(running(t, "web").spec, true))
				if strings.Contains(p.String(), "start") {
					t.Errorf("tasks that fit are replaced:\n%s", p)
				}
				return
			}
			p, _ := w.plan(t, test.command)
			if !strings.Contains(p.String(), "start web-2: "+test.cause+" ") {
				t.Errorf("the plan is\n%s", p)
			}
		})
	}
}

func TestScaleAndChecksTouchNoTaskThatMayStay(t *testing.T) {
	check := &changeset.HealthCheck{Command: []string{"true"}}
	for name, test := range map[string]struct {
		commands []changeset.Command
		want     string
	}{
		"more tasks are awaited before the switch": {
			[]changeset.Command{&changeset.ResourceSet{AppName: "web", Scale: new(3)}}, `
			scale web-1: scale 1 → 3
			await web-1: traffic moves only to tasks that are proven [after scale web-1]
			switch: the stage becomes what was staged, all of it at once [after await web-1]`,
		},
		"fewer tasks go after it": {
			[]changeset.Command{&changeset.ResourceSet{AppName: "web", Scale: new(0)}}, `
			switch: the stage becomes what was staged, all of it at once
			adjust web-1: scale 1 → 0 [after switch]`,
		},
		"a container check": {
			[]changeset.Command{&changeset.ContainerSet{AppName: "web", HealthCheck: check}}, `
			prove web-1: the container health check changed
			switch: the stage becomes what was staged, all of it at once [after prove web-1]
			adjust web-1: the container health check changed [after switch]`,
		},
		"a network check": {
			[]changeset.Command{&changeset.NetworkSet{AppName: "web", HealthCheckPath: new("/up")}}, `
			prove web-1: the network health check changed
			switch: the stage becomes what was staged, all of it at once [after prove web-1]
			adjust web-1: the network health check changed [after switch]`,
		},
		"public": {
			[]changeset.Command{&changeset.NetworkSet{AppName: "web", Public: new(true)}}, `
			prove web-1: the network health check changed
			switch: the stage becomes what was staged, all of it at once [after prove web-1]
			adjust web-1: the network health check changed [after switch]`,
		},
		"more tasks and another check": {
			[]changeset.Command{&changeset.ContainerSet{AppName: "web", HealthCheck: check}, &changeset.ResourceSet{AppName: "web", Scale: new(2)}}, `
			prove web-1: the container health check changed
			scale web-1: scale 1 → 2 [after prove web-1]
			await web-1: traffic moves only to tasks that are proven [after scale web-1]
			switch: the stage becomes what was staged, all of it at once [after prove web-1, await web-1]`,
		},
		"a release that is not active": {
			[]changeset.Command{release("web", 2)}, `switch: the stage becomes what was staged, all of it at once`,
		},
		"set as it was": {
			[]changeset.Command{&changeset.ResourceSet{AppName: "web", Scale: new(1)}}, ``,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := running(t, "web").plan(t, test.commands...)
			same(t, p, test.want)
		})
	}
}

func TestACheckThatIsUnsetNeedsNoProof(t *testing.T) {
	w := running(t, "web")
	w.commit(t, &changeset.ContainerSet{AppName: "web", HealthCheck: &changeset.HealthCheck{Command: []string{"true"}}})
	p, _ := w.plan(t, &changeset.ContainerUnset{AppName: "web", Fields: []string{"health_check"}})
	same(t, p, `
		switch: the stage becomes what was staged, all of it at once
		adjust web-1: the container health check changed [after switch]
	`)
}

func TestADestroyedAppTakesItsTasksImagesAndLogs(t *testing.T) {
	w := running(t, "web", "worker")
	p, _ := w.plan(t, &changeset.AppDestroy{AppName: "web"})
	same(t, p, `
		switch: the stage becomes what was staged, all of it at once
		remove web-1: app web has no active release any more [after switch]
		remove logs of web: app web is destroyed [after switch, remove web-1]
	`)
}

func TestAnAppDestroyedAndCreatedInOneChangesetBeginsAnew(t *testing.T) {
	w := running(t, "web")
	p, _ := w.plan(t, &changeset.AppDestroy{AppName: "web"}, &changeset.AppCreate{AppName: "web"})
	same(t, p, `
		switch: the stage becomes what was staged, all of it at once
		remove web-1: app web has no active release any more [after switch]
		remove logs of web: app web is destroyed [after switch, remove web-1]
	`)
}

func TestAnAppThatWasNeverDeployedIsDestroyed(t *testing.T) {
	w := running(t)
	w.commit(t, &changeset.AppCreate{AppName: "web"})
	p, _ := w.plan(t, &changeset.AppDestroy{AppName: "web"})
	same(t, p, `
		switch: the stage becomes what was staged, all of it at once
		remove logs of web: app web is destroyed [after switch]
	`)
}

func TestAllAppsOfAChangesetSwitchAtOnce(t *testing.T) {
	w := running(t, "web", "worker", "idle")
	p, _ := w.plan(t, release("worker", 2), activate("worker", 2), &changeset.EnvSet{AppName: "web", Key: "A", Value: "s1:x"},
		&changeset.ResourceSet{AppName: "idle", Scale: new(2)})
	same(t, p, `
		scale idle-1: scale 1 → 2
		await idle-1: traffic moves only to tasks that are proven [after scale idle-1]
		prepare image of web: tasks start from DIGEST1
		start web-2: the environment changed [after prepare image of web]
		await web-2: traffic moves only to tasks that are proven [after start web-2]
		prepare image of worker: tasks start from DIGEST2
		start worker-2: release 1 → 2 [after prepare image of worker]
		await worker-2: traffic moves only to tasks that are proven [after start worker-2]
		switch: the stage becomes what was staged, all of it at once [after await idle-1, await web-2, await worker-2]
		remove web-1: its successor serves [after switch]
		remove worker-1: its successor serves [after switch]
	`)
}

func TestAnUnchangedStageHasAnEmptyPlan(t *testing.T) {
	w := running(t, "web", "worker")
	if p := plan.Make(w.input(w.spec, false)); !p.Empty() {
		t.Errorf("the plan is\n%s", p)
	}
}

func TestWhatTheEngineLostIsPutBack(t *testing.T) {
	w := running(t, "web", "worker")
	delete(w.running, "web-1")
	same(t, plan.Make(w.input(w.spec, false)), `start web-1: the engine does not keep the tasks that should serve`)
	w.running, w.network = nil, false
	p := plan.Make(w.input(w.spec, false))
	same(t, p, `
		make network: the stage has no network yet
		start web-1: the engine does not keep the tasks that should serve [after make network]
		start worker-1: the engine does not keep the tasks that should serve [after make network]
	`)
	for _, s := range p.Steps[1:] {
		if !s.Restores {
			t.Errorf("%s would be taken back", s.ID)
		}
	}
}

func TestACommitAlsoPutsBackAndWaitsForIt(t *testing.T) {
	w := running(t, "web", "worker")
	delete(w.running, "worker-1")
	p, _ := w.plan(t, &changeset.ResourceSet{AppName: "web", Scale: new(2)})
	same(t, p, `
		scale web-1: scale 1 → 2
		await web-1: traffic moves only to tasks that are proven [after scale web-1]
		start worker-1: the engine does not keep the tasks that should serve
		await worker-1: traffic moves only to tasks that are proven [after start worker-1]
		switch: the stage becomes what was staged, all of it at once [after await web-1, await worker-1]
	`)
}

func TestFingerprintsTellNothingOfTheEnvironment(t *testing.T) {
	app := setops.NewApp("web")
	app.Env = map[string]setops.EnvVar{"A": {Value: "s1:secret"}}
	one, other := plan.Fingerprint(key, app), plan.Fingerprint([]byte("another key"), app)
	if one == other || strings.Contains(one, "secret") || len(one) != 64 {
		t.Errorf("%s, %s", one, other)
	}
	app.Resources.Scale, app.Network.Public, app.Network.HealthCheckPath = 5, true, "/up"
	app.Container.HealthCheck = &setops.HealthCheck{Command: []string{"true"}}
	if plan.Fingerprint(key, app) != one {
		t.Error("scale, public or checks count")
	}
}

func tcp(app string) []changeset.Command {
	return []changeset.Command{
		&changeset.AppCreate{AppName: app}, &changeset.NetworkSet{AppName: app, Protocol: new(setops.TCP), Public: new(true)},
	}
}

func TestAPublicTCPAppGetsAPortBeforeTheSwitch(t *testing.T) {
	p, _ := running(t).plan(t, tcp("queue")...)
	same(t, p, `
		make network: the stage has no network yet
		open port of queue: app queue is public and speaks tcp [after make network]
		switch: the stage becomes what was staged, all of it at once [after open port of queue]
	`)
}

func TestAPortIsClosedWhenItsAppIsNoPublicTCPAppAnyMore(t *testing.T) {
	const closing = "close port of queue: app queue is no public tcp app any more [after switch]"
	for name, command := range map[string]changeset.Command{
		"private":   &changeset.NetworkSet{AppName: "queue", Public: new(false)},
		"destroyed": &changeset.AppDestroy{AppName: "queue"},
	} {
		t.Run(name, func(t *testing.T) {
			w := running(t)
			w.commit(t, tcp("queue")...)
			if p, _ := w.plan(t, command); !strings.Contains(p.String(), closing) {
				t.Errorf("the plan is\n%s", p)
			}
		})
	}
}

func TestAPortThatACommitLeftBehindIsClosed(t *testing.T) {
	w := running(t)
	w.ports["gone"] = true
	same(t, plan.Make(w.input(w.spec, false)), `close port of gone: app gone is no public tcp app any more`)
}

func TestNothingNewStartsBeforeTheTasksBeforeActivationHaveEnded(t *testing.T) {
	w := running(t, "web", "worker", "idle", "asked")
	p, _ := w.plan(t, release("web", 2), activateAfter("web", 2, "bin/migrate", "--all"), release("worker", 2), activate("worker", 2),
		&changeset.ResourceSet{AppName: "idle", Scale: new(2)},
		&changeset.ContainerSet{AppName: "asked", HealthCheck: &changeset.HealthCheck{Command: []string{"true"}}})
	same(t, p, `
		prepare image of web: tasks start from DIGEST2
		run task of web: it must succeed before release 2 of app web is activated [after prepare image of web]
		prove asked-1: the container health check changed [after run task of web]
		scale idle-1: scale 1 → 2 [after run task of web]
		await idle-1: traffic moves only to tasks that are proven [after scale idle-1]
		start web-2: release 1 → 2 [after prepare image of web, run task of web]
		await web-2: traffic moves only to tasks that are proven [after start web-2]
		prepare image of worker: tasks start from DIGEST2
		start worker-2: release 1 → 2 [after prepare image of worker, run task of web]
		await worker-2: traffic moves only to tasks that are proven [after start worker-2]
		switch: the stage becomes what was staged, all of it at once [after run task of web, prove asked-1, await idle-1, await web-2, await worker-2]
		adjust asked-1: the container health check changed [after switch]
		remove web-1: its successor serves [after switch]
		remove worker-1: its successor serves [after switch]
	`)
	for _, s := range p.Steps {
		if s.Kind == plan.RunTask && (s.Task != "task-web-2" || !slices.Equal(s.Argv, []string{"bin/migrate", "--all"})) {
			t.Errorf("%+v", s)
		}
	}
}

func TestATaskBeforeActivationRunsForAReleaseThatIsActiveAlready(t *testing.T) {
	w := running(t, "web")
	w.network = false // as after a reboot
	p, _ := w.plan(t, activateAfter("web", 1, "bin/migrate"))
	same(t, p, `
		make network: the stage has no network yet
		prepare image of web: tasks start from DIGEST1
		run task of web: it must succeed before release 1 of app web is activated [after prepare image of web, make network]
		switch: the stage becomes what was staged, all of it at once [after run task of web]
	`)
}

func TestWhatOnlyShouldRunAgainDoesNotWaitForATask(t *testing.T) {
	w := running(t, "web", "worker")
	delete(w.running, "worker-1")
	p, _ := w.plan(t, activateAfter("web", 1, "bin/migrate"))
	if got := p.String(); !strings.Contains(got, "start worker-1: the engine does not keep the tasks that should serve\n") {
		t.Errorf("the plan is\n%s", got)
	}
}

func TestAPlanThatIsOnlyShownHasTasksWithoutIDs(t *testing.T) {
	w := running(t, "web")
	in := w.gated(w.spec, []changeset.Command{activateAfter("web", 1, "bin/migrate")})
	in.NewTaskID = nil
	if s := plan.Make(in).Steps[1]; s.Kind != plan.RunTask || s.Task != "" {
		t.Errorf("%+v", s)
	}
}
