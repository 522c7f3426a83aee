package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// commands are what scripts can do besides running setops:
//
//	given app|running              makes project shop, stage production and app web; running: release 1 serves, $DIGEST
//	exits CODE COMMAND…            runs a command that must end with that exit code
//	until REGEXP COMMAND…          runs a command again and again until its output matches
//	screen stdout|stderr FILE      compares the last output with a file; ids, digests and times may differ
//	capture VAR REGEXP             sets $VAR to the first group of a match in the last output
//	push VAR REPOSITORY:TAG        pushes a new image as the present user; its digest is in $VAR
//	retag DIGEST REPOSITORY:TAG    gives an image of that repository another tag
//	pack VAR archive|layout PATH    writes a new image, with the tag 1.0, to a file or a directory; its digest is in $VAR
//	image DIGEST BEHAVIOUR…        what tasks of an image do: deaf, exit N, foreign, words …; else they serve. gated NAME
//	                               words …: once that gate is open
//	open NAME                      opens the gate of an image
//	user EMAIL                     adds a user of the organization
//	grant EMAIL SCOPE ROLE         SCOPE is PROJECT or PROJECT/STAGE
//	accept LINK PASSWORD           accepts an invitation, as its page does; ! accept wants to be refused
//	as EMAIL [expired]             is that user from here on, with a new token or one that has expired
//	server stop|start              as SIGTERM does; tasks go on
//	rotate-key                     is setopsd rotate-key
//	host fail METHOD | heal METHOD makes a method of the host's container runtime fail
//	visit STATUS HOST [PATH]       asks the router
//	proxy start|cut|mend           puts a proxy between setops and the server, which can cut connections; proxy limit BYTES:
//	                               each of them after so many bytes of answers
//	counted N                      wants the last output to have the app's lines "line 1" to "line N", each once and in order
//	dns publish NAME VALUE         publishes a CNAME record; dns withdraw NAME, dns break, dns mend
//	addresses IP,…                 is --public-addresses at the next start of the server
//	nowhere TEXT                   looks for a secret in all that the server has written
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"given": given, "exits": exits, "until": until, "screen": screen, "capture": capture, "push": push, "retag": retag, "pack": pack, "image": image, "open": open,
	"user": user, "grant": grant, "accept": accept, "as": as, "server": server, "daily": daily, "rotate-key": rotateKey, "host": hostFault, "visit": visit, "proxy": useProxy,
	"counted": counted, "nowhere": nowhere, "dns": publish, "addresses": addresses,
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// need ends the script where a command is called wrongly.
func need(ts *testscript.TestScript, ok bool, usage string) {
	if !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

// given makes what most stories begin with, and leaves project and stage as the scope of what follows.
func given(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 1 && !neg && (args[0] == "app" || args[0] == "running"), "given app|running")
	ts.Setenv("SETOPS_PROJECT", "shop")
	ts.Setenv("SETOPS_STAGE", "production")
	run := func(line string) { ts.Check(ts.Exec("setops", strings.Fields(line)...)) }
	run("project:create shop")
	run("stage:create production")
	run("app:create web")
	run("--app web network:set public true")
	run("changeset:commit")
	if args[0] == "app" {
		return
	}
	push(ts, false, []string{"DIGEST", "demo/shop/production/web:v1"})
	run("--app web release:create " + ts.Getenv("DIGEST"))
	run("--app web release:activate 1")
	run("changeset:commit")
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) > 1 && !neg, "exits CODE COMMAND…")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

// patience is how long until waits: far longer than anything takes.
const patience = 30 * time.Second

func until(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) > 1 && !neg, "until REGEXP COMMAND…")
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for deadline := time.Now().Add(patience); ; {
		err := ts.Exec(args[1], args[2:]...)
		output := ts.ReadFile("stdout")
		if err == nil && want.MatchString(output) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%q has not come within %s", args[0], patience)
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
}

func screen(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2 && !neg, "screen stdout|stderr FILE")
	got, want := masked(ts.ReadFile(args[0])), masked(ts.ReadFile(args[1]))
	if got != want {
		ts.Fatalf("%s", diff.Diff(args[1], []byte(want), args[0], []byte(got)))
	}
}

func capture(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2 && !neg, "capture VAR REGEXP")
	what, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := what.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("%q is not in the output", args[1])
	}
	ts.Setenv(args[0], found[1])
}

func push(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2, "push VAR REPOSITORY:TAG")
	email := ts.Getenv("USER_EMAIL")
	if email == "" {
		email = admin
	}
	digest, err := worldOf(ts).push(context.Background(), args[1], email, passwordOf(email))
	if err != nil {
		fmt.Fprintln(ts.Stderr(), err)
	}
	if neg != (err != nil) {
		ts.Fatalf("push of %s: %v", args[1], err)
	}
	ts.Setenv(args[0], digest)
}

func retag(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2 && !neg, "retag DIGEST REPOSITORY:TAG")
	ts.Check(worldOf(ts).retag(context.Background(), args[1], args[0], admin, passwordOf(admin)))
}

func pack(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 3 && !neg, "pack VAR archive|layout PATH")
	write, known := map[string]func(string) (string, error){"archive": packArchive, "layout": packLayout}[args[1]]
	need(ts, known, "pack VAR archive|layout PATH")
	digest, err := write(ts.MkAbs(args[2]))
	ts.Check(err)
	ts.Setenv(args[0], digest)
}

func image(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) > 1 && !neg, "image DIGEST BEHAVIOUR…")
	w := worldOf(ts)
	i, err := w.behaviour(args[1:])
	ts.Check(err)
	w.runtime.SetImage(args[0], i)
}

func open(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 1 && !neg, "open NAME")
	worldOf(ts).gates.open(args[0])
}

func user(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 1 && !neg, "user EMAIL")
	ts.Check(worldOf(ts).addUser(context.Background(), args[0]))
}

func accept(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2, "accept LINK PASSWORD")
	_, token, found := strings.Cut(args[0], api.InvitationsPath)
	need(ts, found, "accept LINK PASSWORD")
	_, err := client.New(worldOf(ts).url(), "", client.Options{}).AcceptInvitation(context.Background(), api.AcceptInvitation{
		Token: token, Password: args[1],
	})
	if neg == (err == nil) {
		ts.Fatalf("accept: %v", err)
	}
}

func grant(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 3 && !neg, "grant EMAIL SCOPE ROLE")
	ts.Check(worldOf(ts).grant(context.Background(), args[0], args[1], setops.Role(args[2])))
}

func as(ts *testscript.TestScript, neg bool, args []string) {
	expired := len(args) == 2 && args[1] == "expired"
	need(ts, (len(args) == 1 || expired) && !neg, "as EMAIL [expired]")
	w := worldOf(ts)
	token, err := w.signIn(context.Background(), args[0])
	ts.Check(err)
	if expired {
		ts.Check(w.expire(context.Background(), token))
	}
	ts.Setenv("SETOPS_TOKEN", token)
	ts.Setenv("USER_EMAIL", args[0])
}

func server(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, (len(args) == 1 || len(args) == 2 && args[0] == "start") && !neg, "server stop|start [LATER]")
	switch args[0] {
	case "stop":
		ts.Check(worldOf(ts).stop())
	case "start": // LATER: with the schedules' clock so much ahead
		var ahead time.Duration
		if len(args) == 2 {
			var err error
			ahead, err = time.ParseDuration(args[1])
			ts.Check(err)
		}
		worldOf(ts).now = func() time.Time { return time.Now().Add(ahead) }
		ts.Check(worldOf(ts).start())
	default:
		ts.Fatalf("usage: server stop|start")
	}
}

// daily sets a variable to the times of a schedule that is due once a day, for the first time in so long.
func daily(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2 && !neg, "daily VAR FIRST")
	first, err := time.ParseDuration(args[1])
	ts.Check(err)
	due := time.Now().UTC().Add(first)
	ts.Setenv(args[0], fmt.Sprintf("%d %d * * *", due.Minute(), due.Hour()))
}

func rotateKey(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 0, "rotate-key")
	c := worldOf(ts).config
	args = []string{"rotate-key", "--data-dir", c.DataDir, "--database", c.Database}
	if code := daemon.Main(args, func(string) string { return "" }, ts.Stdout(), ts.Stderr()); neg != (code != 0) {
		ts.Fatalf("exit code %d", code)
	}
}

func hostFault(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2 && !neg, "host fail|heal METHOD")
	var fault error
	if args[0] == "fail" {
		fault = errors.New("the host is out of order")
	}
	worldOf(ts).runtime.Fail(args[1], fault)
}

func visit(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) >= 2 && len(args) <= 3 && !neg, "visit STATUS HOST [PATH]")
	w := worldOf(ts)
	path := "/"
	if len(args) == 3 {
		path = args[2]
	}
	request, err := http.NewRequest(http.MethodGet, "http://"+w.config.HTTPListen+path, nil)
	ts.Check(err)
	request.Host = args[1]
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s", body)
	if strconv.Itoa(response.StatusCode) != args[0] {
		ts.Fatalf("%s answers %d, not %s", args[1], response.StatusCode, args[0])
	}
}

func useProxy(ts *testscript.TestScript, neg bool, args []string) {
	const usage = "proxy start|cut|mend|limit BYTES"
	need(ts, len(args) > 0 && len(args) < 3 && (args[0] == "limit") == (len(args) == 2) && !neg, usage)
	w := worldOf(ts)
	switch args[0] {
	case "limit":
		bytes, err := strconv.ParseInt(args[1], 10, 64)
		ts.Check(err)
		w.proxy.setMost(bytes)
	case "start":
		var err error
		w.proxy, err = newProxy(w.config.Listen)
		ts.Check(err)
		ts.Setenv("SETOPS_URL", "http://"+w.proxy.address())
	case "cut", "mend":
		w.proxy.setCut(args[0] == "cut")
	default:
		ts.Fatalf("usage: %s", usage)
	}
}

var countedLine = regexp.MustCompile(`(?m)\[app\] line ([0-9]+)$`)

func counted(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 1 && !neg, "counted N")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	lines := countedLine.FindAllStringSubmatch(ts.ReadFile("stdout"), -1)
	for i, l := range lines {
		if l[1] != strconv.Itoa(i+1) {
			ts.Fatalf("line %d of the output is line %s of the task", i+1, l[1])
		}
	}
	if len(lines) != n {
		ts.Fatalf("%d lines, not %d", len(lines), n)
	}
}

func nowhere(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 1 && !neg, "nowhere TEXT")
	ts.Check(worldOf(ts).find(args[0]))
}

// masks are what no test can foretell; each keeps its width, so that tables stay aligned.
var masks = []struct {
	what *regexp.Regexp
	mask string
}{
	{regexp.MustCompile(`\bsha256:[0-9a-f]{64}\b`), "sha256:" + strings.Repeat("d", 64)},
	{regexp.MustCompile(`\b_[0-9a-f]{16}\.`), "_" + strings.Repeat("h", 16) + "."},
	{regexp.MustCompile(`\b[0-9a-f]{32}\b`), strings.Repeat("a", 32)},
	{regexp.MustCompile(`\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z`), "2020-01-01T00:00:00Z"},
	{regexp.MustCompile(`(?m)^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\b`), "2020-01-01 00:00:00"},
}

func masked(text string) string {
	for _, m := range masks {
		text = m.what.ReplaceAllString(text, m.mask)
	}
	return text
}
