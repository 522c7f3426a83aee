package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// written is how many lines each task of this test writes when it begins.
const written = 150

// TestAFollowerHasEveryLineOnce follows a log over commits, changes of scale, tasks that are stopped, restarts of the server and
// connections that are cut, and compares what came with what is in the log in the end.
func TestAFollowerHasEveryLineOnce(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	proxy, err := newProxy(w.config.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.close()
	w.commit(t, token, `{"name":"app:create","arguments":{"name":"web"}}`)
	digest, err := w.push(t.Context(), "demo/shop/production/web:v1", admin, passwordOf(admin))
	if err != nil {
		t.Fatal(err)
	}
	w.runtime.SetImage(digest, fake.Words("count", fmt.Sprint(written), "serve"))
	w.commit(t, token, `{"name":"app:release:create","arguments":{"name":"web","release_digest":"`+digest+`"}},
		{"name":"app:release:set","arguments":{"name":"web","release_id":1}}`)

	f := follow(t, proxy, token)
	for round := range 8 {
		w.commit(t, token, fmt.Sprintf(`{"name":"app:env:set","arguments":{"name":"web","key":"ROUND","value":"%d"}},
			{"name":"app:resource:set","arguments":{"name":"web","scale":%d}}`, round, 1+round%3))
		if round%2 == 1 {
			w.stopOne(t, token)
		}
		if round%3 == 2 {
			if err := errors.Join(w.stop(), w.start()); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.commit(t, token, `{"name":"app:resource:set","arguments":{"name":"web","scale":0}}`)
	f.compare(t, w.wholeLog(t, token))
}

// commit stages commands and waits for the end of their commit.
func (w *world) commit(t *testing.T, token, commands string) {
	t.Helper()
	w.must(t, token, "POST", production+"/changeset/commands", `{"commands":[`+commands+`]}`)
	r := request{method: "POST", path: production + "/commits", token: token}
	w.endCommit(t, token, w.do(t, r), r)
}

var webRef = client.AppRef{
	StageRef: client.StageRef{ProjectRef: client.ProjectRef{Organization: organization, Project: "shop"}, Stage: "production"}, App: "web",
}

// stopOne stops a task of the app, in whose place another is started.
func (w *world) stopOne(t *testing.T, token string) {
	t.Helper()
	c := client.New(w.url(), token, client.Options{})
	tasks, err := c.Tasks(t.Context(), webRef)
	if err != nil || len(tasks) == 0 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	if err := c.StopTask(t.Context(), webRef, tasks[len(tasks)-1].ID); err != nil {
		t.Fatal(err)
	}
}

// wholeLog gives the lines of each task once all have ended.
func (w *world) wholeLog(t *testing.T, token string) map[string][]string {
	t.Helper()
	c := client.New(w.url(), token, client.Options{})
	for {
		lines, err := c.Log(t.Context(), webRef, client.LogQuery{Limit: client.MaxLogLines})
		if err != nil {
			t.Fatal(err)
		}
		all := map[string][]string{}
		for _, l := range lines {
			all[l.TaskID] = append(all[l.TaskID], textOf(l))
		}
		ended := !slices.ContainsFunc(slices.Collect(maps.Values(all)), func(lines []string) bool {
			return !strings.Contains(lines[len(lines)-1], "Task status is STOPPED")
		})
		if ended {
			return all
		}
		pause(t)
	}
}

func textOf(l api.LogLine) string { return l.Source + " " + l.Text }

// pause is between two looks at something that others do.
func pause(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(20 * time.Millisecond):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

// following is somebody who follows a log behind a proxy that cuts the connection again and again.
type following struct {
	mu    sync.Mutex
	lines map[string][]string
	count int
}

func follow(t *testing.T, p *proxy, token string) *following {
	t.Helper()
	f := &following{lines: map[string][]string{}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	c := client.New("http://"+p.address(), token, client.Options{})
	go func() {
		_, err := c.FollowLog(ctx, webRef, client.LogQuery{Whole: true}, func(l api.LogLine) error {
			if f.add(l)%97 == 0 {
				p.setCut(true)
				p.setCut(false)
			}
			return nil
		})
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("following ended: %v", err)
		}
	})
	return f
}

func (f *following) add(l api.LogLine) (count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines[l.TaskID] = append(f.lines[l.TaskID], textOf(l))
	f.count++
	return f.count
}

func (f *following) has() (lines map[string][]string, count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lines = map[string][]string{}
	for task, texts := range f.lines {
		lines[task] = slices.Clone(texts)
	}
	return lines, f.count
}

// compare waits until as many lines have come as there are, and looks whether they are the same ones.
func (f *following) compare(t *testing.T, want map[string][]string) {
	t.Helper()
	all := 0
	for _, lines := range want {
		all += len(lines)
	}
	if all < 8*written {
		t.Fatalf("the log has only %d lines", all)
	}
	have, count := f.has()
	for late := time.Now().Add(30 * time.Second); count < all && time.Now().Before(late); have, count = f.has() {
		pause(t)
	}
	for task, lines := range want {
		if !slices.Equal(have[task], lines) {
			t.Errorf("of task %s came %d lines of %d:\n%q\nnot\n%q", task, len(have[task]), len(lines), have[task], lines)
		}
	}
	if count != all {
		t.Errorf("%d lines came, of %d", count, all)
	}
}
