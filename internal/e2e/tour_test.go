package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/shlex"
)

func TestCanariesAreFoundHoweverTheyAreWritten(t *testing.T) {
	value := newCanary(secretMark)
	quoted, err := json.Marshal("\n" + value + `"`)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"KEY=" + value, hex.EncodeToString([]byte("ä" + value)), fmt.Sprintf("%X", value), string(quoted), url.QueryEscape("<" + value + ">"),
		base64.StdEncoding.EncodeToString([]byte(value)), base64.URLEncoding.EncodeToString([]byte("a:" + value + "?")),
		base64.StdEncoding.EncodeToString([]byte("ab" + value + "b")), base64.RawStdEncoding.EncodeToString([]byte("abcd" + value)),
	} {
		if _, ok := within([]byte("before "+text+" after"), secretMark); !ok {
			t.Errorf("it is not found in %s", text)
		}
		if found, ok := within([]byte(text), openMark, passwordMark); ok {
			t.Errorf("%s is taken for %s", text, found)
		}
	}
	if _, ok := within([]byte(url.QueryEscape(passwordOf(admin))), passwordMark); !ok {
		t.Error("a password in an URL is not found")
	}
}

// tour goes through the commands of setops with a server.
type tour struct {
	t       *testing.T
	world   *world
	environ []string
	values  map[string]bool // all that was set
}

// run runs setops, and gives what it printed.
func (o *tour) run(args ...string) (code int, stdout string) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), patience)
	defer cancel()
	input := strings.NewReader("demo\n" + admin + "\n" + passwordOf(admin) + "\n")
	code, s := saying(ctx, args, o.environ, input, io.Discard, io.Discard)
	if ctx.Err() != nil {
		o.t.Errorf("setops %s does not end", strings.Join(args, " "))
	}
	o.world.said = append(o.world.said, s)
	return code, string(s.Stdout)
}

func (o *tour) must(line string, more ...string) string {
	o.t.Helper()
	code, out := o.run(append(strings.Fields(line), more...)...)
	if code != 0 {
		o.t.Fatalf("setops %s: exit code %d: %s", line, code, o.world.said[len(o.world.said)-1].Stderr)
	}
	return out
}

// set stages n variables with values that nobody has seen.
func (o *tour) set(prefix, mark string, n int, flags ...string) {
	o.t.Helper()
	for i := range n {
		value := newCanary(mark)
		o.values[value] = true
		flags = append(flags, fmt.Sprintf(`%s_%d=%s`, prefix, i, value))
	}
	o.must("--debug -p shop -s production --app web env:set", flags...)
}

// stage makes a changeset with an ordinary and a secret value in it, and nothing else.
func (o *tour) stage() {
	o.t.Helper()
	o.must("-p shop -s production changeset:discard --ignore-not-exist")
	o.set("STAGED", openMark, 1)
	o.set("HIDDEN", secretMark, 1, "--secret")
}

var (
	lastly = regexp.MustCompile(`project:destroy|stage:destroy|logout|login|docker erase|user:remove|user:switch|organization:switch`)
	stages = regexp.MustCompile(`:(set|unset|create|destroy|activate|deploy|validate|apply|commit|discard|remove|revert|schedule|unschedule)\b`)
)

// lines are those of every command that the CLI's own tests have, one that works and one that does not. What ends the tour comes last.
func (o *tour) lines(stand ...string) []string {
	o.t.Helper()
	text, err := os.ReadFile("../cli/testdata/commands.txt")
	if err != nil {
		o.t.Fatal(err)
	}
	var now, last []string
	for line := range strings.Lines(strings.NewReplacer(stand...).Replace(string(text))) {
		_, command, found := strings.Cut(strings.TrimSpace(line), "setops ")
		switch {
		case strings.HasPrefix(line, "#") || !found:
		case lastly.MatchString(command):
			last = append(last, command)
		default:
			now = append(now, command)
		}
	}
	if len(now) < 100 {
		o.t.Fatalf("there are only %d lines", len(now))
	}
	return append(now, last...)
}

func (o *tour) split(line string) []string {
	o.t.Helper()
	args, err := shlex.Split(line)
	if err != nil {
		o.t.Fatal(err)
	}
	return args
}

// TestNoCommandTellsAValueThatIsNotItsToShow sets 200 random values everywhere, half of them secret, types every command, and looks for
// them: leaks does, when the server is closed.
func TestNoCommandTellsAValueThatIsNotItsToShow(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	token, err := w.signIn(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	o := &tour{t: t, world: w, values: map[string]bool{}, environ: []string{
		"HOME=" + t.TempDir(), "SETOPS_URL=" + w.url(), "SETOPS_ORGANIZATION=" + organization, "SETOPS_TOKEN=" + token,
	}}
	o.must("project:create shop")
	o.must("-p shop stage:create production")
	o.must("-p shop -s production app:create web")
	o.must("-p shop -s production changeset:commit")
	digest, err := w.push(t.Context(), "demo/shop/production/web:v1", admin, passwordOf(admin))
	if err != nil {
		t.Fatal(err)
	}
	o.must("-p shop -s production --app web release:create " + digest)
	o.must("-p shop -s production --app web release:activate 1")
	o.must("-p shop -s production --app web domain:create www.example.com")
	o.set("OPEN", openMark, 48)
	o.set("SECRET", secretMark, 48, "--secret")
	o.must("--debug -p shop -s production changeset:commit -m first")
	o.set("OPEN", openMark, 48)     // what was is in the history
	o.set("SECRET", secretMark, 48) // and still secret
	o.must("--debug -p shop -s production changeset:commit")
	log := o.must("-p shop -s production changeset:log")
	commit := regexp.MustCompile(`([0-9a-f]{12}) \|`).FindStringSubmatch(log)[1]
	task := regexp.MustCompile(`[0-9a-f]{32}`).FindString(o.must("-p shop -s production --app web task:run --detach -- words hello"))

	o.refusals()
	o.stage()
	succeeded := 0
	for _, line := range o.lines("queued changeset:attach", "production changeset:attach "+commit, "queued changeset:wait", "production changeset:wait "+commit, "9f86", commit, "55a9", task, "release:activate 3", "release:activate 1",
		"sha256:2b51cdaabcdc9c35b36e998ec81d2ed8507def0e4709a4d5003414e727e67fa9", digest) {
		args := o.split(line)
		if !slices.Contains(args, "--") {
			args = append(args, "--debug")
		}
		if strings.Contains(line, "changeset:revert") {
			o.must("-p shop -s production changeset:discard")
		}
		if code, _ := o.run(args...); code == 0 {
			succeeded++
		}
		switch {
		case lastly.MatchString(line):
		case stages.MatchString(line):
			o.stage()
		default:
			o.run(append([]string{"-o", "json"}, args...)...)
		}
	}
	if len(o.values) < 200 || succeeded < 60 {
		t.Errorf("only %d values were set, and %d commands have done something", len(o.values), succeeded)
	}
	o.isSeen()
}

// refusals are commands that are refused, with values in them.
func (o *tour) refusals() {
	value, secret := newCanary(openMark), newCanary(secretMark)
	for _, args := range [][]string{
		{"1BAD=" + value},
		{"PORT=" + value},
		{"=" + value},
		{"A=" + value, "B C=" + value},
		{"A B:" + value},
		{"A=" + value, "--nonsense"},
		{"A=" + value, "--description"},
		{"A=" + strings.Repeat(value, 5000)},
		{"A=" + value, "-o", "yaml"},
		{"1BAD=" + secret, "--secret"},
		{"PORT=" + secret, "--secret"},
		{"A=" + secret + "\x00", "--secret"},
		{"--secret=" + secret},
		{"--secret", secret},
		{"A=\xff" + secret, "--secret"},
		{"--secret", "A=" + strings.Repeat(secret, 5000)},
	} {
		for _, scope := range [][]string{{"--app", "web"}, {"--app", "nope"}, {"--app", "NOT AN APP"}, {}} {
			all := slices.Concat([]string{"--debug", "-p", "shop", "-s", "production"}, scope, []string{"env:set"}, args)
			if code, _ := o.run(all...); code == 0 {
				o.t.Errorf("setops %q has succeeded", args)
			}
		}
	}
	for _, args := range [][]string{{"env", "A=" + secret}, {"env", "A:" + secret}, {"A=" + secret}, {"env:unset"}, {"set", "A=" + secret}, {"env:list", "A=" + secret}} {
		if code, _ := o.run(slices.Concat([]string{"-p", "shop", "-s", "production", "--app", "web"}, args)...); code == 0 {
			o.t.Errorf("setops %q has succeeded", args)
		}
	}
}

// isSeen makes sure that the search can find: ordinary values are where they are shown.
func (o *tour) isSeen() {
	for _, command := range []string{"env", "app:info", "changeset:diff", "changeset:revert", "env:set"} {
		if !slices.ContainsFunc(o.world.said, func(s said) bool {
			return slices.Contains(s.Args, command) && bytes.Contains(s.Stdout, []byte(openMark))
		}) {
			o.t.Errorf("setops %s has shown no ordinary value", command)
		}
	}
	for _, planted := range []said{
		{Args: []string{"env"}, Stdout: []byte(secretMark)},
		{Args: []string{"env"}, Stderr: []byte(openMark)},
		{Args: []string{"app"}, Stdout: []byte(openMark)},
		{Args: []string{"env"}, Stdout: []byte(passwordOf(admin))},
	} {
		if planted.leaks() == nil {
			o.t.Errorf("a canary in %+v is not found", planted)
		}
	}
	if err := o.world.find("shop"); err == nil || !strings.Contains(err.Error(), "has") {
		o.t.Errorf("the name of the project is found nowhere: %v", err)
	}
}
