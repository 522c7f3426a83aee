//go:build linux

package system

import (
	"fmt"
	"strings"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

// Checks, as failures name them.
const (
	start     = "start"
	network   = "network health check"
	container = "container health check"
)

// shortTimeout is the start timeout of apps that never pass: long enough for a container on a busy machine.
const shortTimeout = 5

// breakage is one way to break an app that serves.
type breakage struct {
	name string
	run  string // the app's command, in words
	more []api.Arguments

	check string
	says  []string // parts of the message
	last  func(a api.LastAnswer) bool
	shown string // the last answer on the screen
	log   string // a line
	mend  string // the first command to type; empty: one that shows the log

	// docker is what differs on Docker Engine, which looks at less before a program runs; nil: nothing.
	docker func(b *breakage)
	// kubernetes is what differs on a cluster, whose nodes do not tell where a task listens, nor why a script did not run.
	kubernetes func(b *breakage)
}

// unlistened is for what a task's own network namespace shows.
func unlistened(b *breakage) {
	b.says, b.last, b.mend = []string{"nothing listens on port 5000"}, unconnected("refused"), ""
}

// logged is for a program that ends as soon as its node has begun it, and says why in its log alone.
func logged(why string) func(*breakage) {
	return func(b *breakage) {
		b.says, b.shown, b.log, b.mend = []string{"exited with code"}, "exit code", why, ""
		b.last = func(a api.LastAnswer) bool { return a.ExitCode != nil }
	}
}

// worded is for what only the kernel finds out, which Docker tells in fewer words.
func worded(says ...string) func(*breakage) {
	return func(b *breakage) { b.says = says }
}

func exits(code int) func(api.LastAnswer) bool {
	return func(a api.LastAnswer) bool { return a.ExitCode != nil && *a.ExitCode == code }
}

func answers(status int, body string) func(api.LastAnswer) bool {
	return func(a api.LastAnswer) bool { return a.Request == "GET /" && a.Status == status && a.Body == body }
}

func unconnected(why string) func(api.LastAnswer) bool {
	return func(a api.LastAnswer) bool { return strings.Contains(a.ConnectError, why) }
}

func killed(signal string, outOfMemory bool) func(api.LastAnswer) bool {
	return func(a api.LastAnswer) bool { return a.Signal == signal && a.OutOfMemory == outOfMemory }
}

// silent is for who takes a connection and says nothing: a probe is under way when the time is up, or has just been given up.
func silent(a api.LastAnswer) bool {
	return unconnected("has not answered")(a) || unconnected("no answer within")(a)
}

func unheard(a api.LastAnswer) bool {
	return a.ExitCode == nil && a.ConnectError == "" && a.Status == 0
}

func entrypoint(argv ...string) []api.Arguments {
	return []api.Arguments{api.ContainerSet{Name: "web", Entrypoint: argv}}
}

// healthCheck is one that may fail once, and must have its answer within so many seconds.
func healthCheck(timeout int, argv ...string) []api.Arguments {
	return []api.Arguments{api.ContainerSet{Name: "web", HealthCheck: &api.HealthCheckPatch{
		Command: argv, Interval: new(60), Timeout: &timeout, Retries: new(1), StartPeriod: new(0),
	}}}
}

var breakages = []breakage{
	{
		name: "wrong port", run: "serve=:8080", check: network, says: []string{"nothing listens on port 5000", "listens on port 8080"},
		last: func(a api.LastAnswer) bool {
			return unconnected("refused")(a) && strings.HasSuffix(strings.Join(a.ListensOn, " "), ":8080")
		},
		shown: "refused", mend: "network:set port 8080", kubernetes: unlistened,
	},
	{
		name: "127.0.0.1 only", run: "serve=127.0.0.1:5000", check: network,
		says: []string{"on 127.0.0.1:5000 only", "0.0.0.0"}, last: unconnected("refused"), shown: "refused",
		kubernetes: unlistened,
	},
	{
		name: "crash loop", run: "print=boom exit=3", check: start, says: []string{"exited with code 3 before it was ready"},
		last: exits(3), shown: "exit code 3", log: "boom",
	},
	{
		name: "exits 0 at once", run: "print=done exit=0", check: start, says: []string{"exited with code 0 before it was ready"},
		last: exits(0), shown: "exit code 0", log: "done",
	},
	{
		name: "missing variable", run: "require=DATABASE_URL serve", check: start, says: []string{"exited with code 1"},
		last: exits(1), shown: "exit code 1", log: "DATABASE_URL is not set",
	},
	{
		name: "out of memory", run: "print=hungry eat=600 serve", check: start, says: []string{"out of memory (limit 256 MB)"},
		last: killed("SIGKILL", true), shown: "killed, out of memory", log: "hungry", mend: "resource:set memory 512",
	},
	{
		name: "killed by a signal", run: "print=farewell forbid serve", check: start, says: []string{"killed: signal 31 (SIGSYS)"},
		last: killed("SIGSYS", false), shown: "killed by SIGSYS", log: "farewell",
	},
	{
		name: "404 on the check path", run: "status=404 body=nothing_here serve", check: network,
		says: []string{"GET / on ", `answered 404 Not Found ("nothing_here"), accepted are 200`, "start timeout 5s"},
		last: answers(404, "nothing_here"), shown: "404 Not Found: nothing_here", mend: "network:set health-check-path PATH",
	},
	{
		name: "never ready", run: "print=booting status=503 body=warming_up serve", check: network,
		says: []string{`answered 503 Service Unavailable ("warming_up")`}, last: answers(503, "warming_up"),
		shown: "503 Service Unavailable: warming_up", log: "booting",
	},
	{
		name: "redirect loop", run: "status=302 serve", check: network, says: []string{"answered 302 Found", "accepted are 200"},
		last: func(a api.LastAnswer) bool { return a.Status == 302 }, shown: "302 Found", mend: "network:set health-check-status 200-399",
	},
	{
		name: "slow start", run: "print=loading sleep=1h serve", check: network,
		says: []string{"nothing listens on port 5000", "the task listens on no port", "start timeout 5s"},
		last: unconnected("refused"), shown: "refused", log: "loading", mend: "container:set start-timeout 10",
		kubernetes: unlistened,
	},
	{
		name: "garbage", run: "blurt=\x1b[31mhowdy", check: network, says: []string{"got no valid HTTP answer"},
		last: unconnected("no valid HTTP answer"), shown: "no valid HTTP answer",
	},
	{
		name: "mute", run: "mute", check: network, says: []string{":5000 "}, last: silent, shown: "answer",
	},
	{
		name: "missing check command", run: "print=anew serve", more: healthCheck(60, "/no/such/check"), check: container,
		says: []string{"failed once", "there is no program /no/such/check"}, last: exits(127), shown: "exit code 127",
		mend: "container:set health-check -- PROGRAM",
	},
	{
		name: "check fails", run: "print=anew serve", more: healthCheck(60, "/app", "print=no_queue", "exit=9"), check: container,
		says: []string{"exit code 9, no_queue"}, last: exits(9), shown: "exit code 9: no_queue",
	},
	{
		name: "check hangs", run: "print=anew serve", more: healthCheck(1, "/app", "sleep=1h"), check: container,
		says: []string{"failed once", "no answer within 1s"}, last: unconnected("no answer within 1s"), shown: "no answer within 1s",
	},
	{
		name: "no such program", more: entrypoint("/no/such/program"), check: start, says: []string{"/no/such/program"},
		last: unheard, mend: "container:unset entrypoint",
	},
	{
		name: "not executable", more: entrypoint("/readme"), check: start, says: []string{"/readme"},
		last: unheard, mend: "container:unset entrypoint",
	},
	{
		name: "script without interpreter", more: entrypoint("/script"), check: start, says: []string{"/script", "/bin/nosuchshell"},
		last: unheard, mend: "container:unset entrypoint", docker: worded("/script cannot be run", "interpreter"),
		kubernetes: logged("/script"),
	},
	{
		name: "wrong architecture", more: entrypoint("/foreign"), check: start, says: []string{"/foreign is a program for another machine"},
		last: unheard, mend: "container:unset entrypoint", docker: worded("/foreign is a program for another machine"),
		kubernetes: logged("/foreign"),
	},
}

// commands are what is staged to break an app.
func (b breakage) commands() []api.Arguments {
	var all []api.Arguments
	if b.check == network { // others end by themselves, as late as they like
		all = append(all, api.ContainerSet{Name: "web", StartTimeout: new(shortTimeout)})
	}
	if b.run != "" {
		all = append(all, api.ContainerSet{Name: "web", Command: strings.Split(b.run, " ")})
	}
	return append(all, b.more...)
}

// room is for as many apps at a time as fit a node of two processors.
var room = make(chan struct{}, 4)

func TestAFailureNamesItsTrueCause(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, engine string) {
		s := openServer(t, engine, nil)
		for i, b := range breakages {
			if engine == "docker" && b.docker != nil {
				b.docker(&b)
			}
			if engine == "kubernetes" && b.kubernetes != nil {
				b.kubernetes(&b)
			}
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				if engine == "kubernetes" {
					room <- struct{}{}
					defer func() { <-room }()
				}
				st := s.newStage(t, fmt.Sprintf("stage%d", i), "web")
				defer func() { must(t, s.DestroyStage(t.Context(), st.ref)) }()
				f, screen := st.fail(t, b.commands()...)
				b.judge(t, st, f)
				b.judgeScreen(t, f, screen)
				st.isAsBefore(t, len(b.commands()), "web")
			})
		}
	})
}

func (b breakage) judge(t *testing.T, st *stage, f api.Failure) {
	t.Helper()
	if f.Code != "CommitFailed" || f.Temporary || f.App != "web" || f.Release != 1 || f.Check != b.check || f.TaskID == "" {
		t.Errorf("got %+v", f)
	}
	for _, part := range b.says {
		if !strings.Contains(f.Message, part) {
			t.Errorf("%q lacks %q", f.Message, part)
		}
	}
	var last api.LastAnswer
	if f.LastAnswer != nil {
		last = *f.LastAnswer
	}
	if !b.last(last) {
		t.Errorf("the last answer is %+v", last)
	}
	if b.log != "" && !strings.Contains(strings.Join(f.Log, "\n"), b.log) {
		t.Errorf("the log is %q", f.Log)
	}
	ofApp := fmt.Sprintf("setops -p %s -s %s --app web ", project, st.ref.Stage)
	want := []string{ofApp + b.mend, ofApp + "log --task " + f.TaskID, fmt.Sprintf("setops -p %s -s %s changeset:commit", project, st.ref.Stage)}
	if b.mend == "" {
		want = want[1:]
	}
	if got := strings.Join(f.Next, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("to type is\n%s\nnot\n%s", got, strings.Join(want, "\n"))
	}
}

// judgeScreen looks whether people read the same.
func (b breakage) judgeScreen(t *testing.T, f api.Failure, screen string) {
	t.Helper()
	parts := append([]string{"The commit failed: " + f.Message, "web, release 1", f.TaskID, b.check, b.shown, b.log}, f.Next...)
	for _, part := range parts {
		if !strings.Contains(screen, part) {
			t.Errorf("the screen lacks %q:\n%s", part, screen)
		}
	}
	if strings.ContainsAny(screen, "\x1b\a\r") {
		t.Errorf("the screen steers the terminal: %q", screen)
	}
}
