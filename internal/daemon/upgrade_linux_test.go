package daemon_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/bench/traffic"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

func TestUpgradesLoseNoRequest(t *testing.T) {
	i := install(t)
	i.deploy("./internal/bench/echo", "web")
	i.deploy("./internal/bench/echo", "api")
	stop := i.load()

	for range 3 {
		i.upgrade()
	}
	// What goes wrong leaves the old process serving.
	back := i.replace([]byte("#!/bin/sh\nexit 3\n"))
	i.hangUp()
	i.awaitLog("this one goes on", "is not prepared: it ended: exit status 3")
	back()
	back = i.replace(dying(t))
	i.hangUp()
	i.awaitLog("this one goes on", "did not get ready: it ended: exit status 3")
	back()

	// The API answers again, and a commit right behind an upgrade mixes nothing.
	i.upgrade()
	i.commit(api.EnvSet{Name: "web", Key: "VERSION", Value: "2"}, api.EnvSet{Name: "api", Key: "VERSION", Value: "2"})
	report := stop()
	if report.FaultCount > 0 || report.Newest != 2 {
		t.Errorf("%d faults, newest version %d: %s\nlog:\n%s", report.FaultCount, report.Newest, strings.Join(report.Faults, "\n"), i.logged())
	}
	if report.Requests == 0 || report.Streams == 0 || report.Sockets == 0 {
		t.Errorf("%+v", report)
	}
	t.Logf("%d requests, %d streams, %d WebSockets; the longest answer took %s", report.Requests, report.Streams, report.Sockets, report.Most)
	i.destroy()
}

// load asks router and API until the function that it returns is called.
func (i *installation) load() (stop func() traffic.Report) {
	ctx, cancel := context.WithCancel(i.t.Context())
	var clients sync.WaitGroup
	var report traffic.Report
	clients.Go(func() {
		report = traffic.Run(ctx, traffic.Config{
			Router: i.router, Hosts: []string{"web.prod.shop.localhost", "api.prod.shop.localhost"},
			Rate: 200, Clients: 8, Streams: 2, Sockets: 2,
		})
	})
	clients.Go(func() { i.ask(ctx, i.api, "/v1/nothing") })
	return func() traffic.Report {
		cancel()
		clients.Wait()
		return report
	}
}

func TestTasksOfAnEarlierVersionAreAdopted(t *testing.T) {
	i := install(t)
	i.deploy("./internal/engine/embedded/testdata/app", "web", api.NetworkSet{Name: "web", Public: new(false)}, check("first"),
		api.ContainerSet{Name: "web", Command: []string{"tick=50ms"}})
	before := i.task("web")
	i.lines("web", before.ID, 3)

	i.build("two")
	i.upgrade()
	if version, err := os.Readlink(filepath.Join("/proc", fmt.Sprint(i.pid()), "exe")); err != nil || version != filepath.Join(i.bin, "setopsd") {
		t.Errorf("the new process runs %s, %v", version, err)
	}
	if shims := i.shims(); len(shims) != 1 || !strings.HasSuffix(shims[0], " (deleted)") {
		t.Errorf("the shim of the earlier version: %v", shims)
	}
	after := i.task("web")
	if after.ID != before.ID || !after.StartedAt.Equal(*before.StartedAt) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	n := i.lines("web", before.ID, 0)
	i.lines("web", before.ID, n+3) // its log goes on

	// The new process runs a command in it,
	i.commit(check("second"))
	i.await("the task is healthy", func() bool { return i.task("web").Health == "HEALTHY" })
	if i.task("web").ID != before.ID {
		t.Error("the check has replaced the task")
	}
	// and ends it; the task that takes its place has a shim of the new version.
	i.must(i.client.StopTask(t.Context(), app("web"), before.ID))
	i.await("another task runs", func() bool { task := i.task("web"); return task.ID != before.ID })
	i.await("the old shim ends", func() bool {
		shims := i.shims()
		return len(shims) == 1 && shims[0] == filepath.Join(i.bin, "setops-shim")
	})

	// A request that the old process passes on does not wait for the end of that one, which waits for the request.
	i.upgrade()
	began := time.Now()
	i.destroy()
	if took := time.Since(began); took > patience/2 {
		t.Errorf("it took %s to destroy the project right behind an upgrade", took)
	}
}

// check runs a program in the container of web.
func check(word string) api.Arguments {
	return api.ContainerSet{Name: "web", HealthCheck: &api.HealthCheckPatch{Command: []string{"/app", "print=" + word}, Interval: new(1)}}
}

// task gives the task of an app that runs, once there is exactly one.
func (i *installation) task(name string) (running api.Task) {
	i.t.Helper()
	i.await("one task of "+name+" runs", func() bool {
		tasks, err := i.client.Tasks(i.t.Context(), app(name))
		i.must(err)
		n := 0
		for _, task := range tasks {
			if task.Status == "RUNNING" {
				running = task
				n++
			}
		}
		return n == 1
	})
	return running
}

// lines waits until a task has written so many, and says how many there are.
func (i *installation) lines(name, id string, least int) (n int) {
	i.t.Helper()
	i.await(fmt.Sprintf("%d lines of %s", least, name), func() bool {
		lines, err := i.client.Log(i.t.Context(), app(name), client.LogQuery{Task: id, Limit: 9999})
		i.must(err)
		n = len(lines)
		return n >= least
	})
	return n
}

// shims are the programs of the shims that stand beside tasks of this installation.
func (i *installation) shims() (all []string) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	i.must(err)
	for _, link := range links {
		if program, err := os.Readlink(link); err == nil && strings.HasPrefix(program, filepath.Join(i.bin, "setops-shim")) {
			all = append(all, program)
		}
	}
	return all
}
