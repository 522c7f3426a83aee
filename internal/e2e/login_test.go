package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/cli"
)

// laptop is where somebody types setops.
type laptop struct {
	t    *testing.T
	home string
	env  []string
}

func (w *world) laptop(t *testing.T) *laptop {
	t.Helper()
	home := t.TempDir()
	return &laptop{t: t, home: home, env: []string{"HOME=" + home, "SETOPS_URL=" + w.url()}}
}

func (l *laptop) enter(line string) (stdout, stderr string, code int) {
	var out, said bytes.Buffer
	code = cli.Main(l.t.Context(), strings.Fields(line), l.env, strings.NewReader(""), &out, &said)
	return out.String(), said.String(), code
}

// must types a command that has to succeed.
func (l *laptop) must(line string) string {
	l.t.Helper()
	out, said, code := l.enter(line)
	if code != 0 {
		l.t.Fatalf("%s ended with %d: %s%s", line, code, out, said)
	}
	return out
}

// fails types a command that must not succeed, and wants it to say why.
func (l *laptop) fails(line, why string) {
	l.t.Helper()
	if _, said, code := l.enter(line); code == 0 || !strings.Contains(said, why) {
		l.t.Errorf("%s ended with %d, and does not say %q: %s", line, code, why, said)
	}
}

// stored gives the value of a key of the user's file.
func (l *laptop) stored(key string) string {
	l.t.Helper()
	text, err := os.ReadFile(filepath.Join(l.home, ".setops.yml"))
	if err != nil {
		l.t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + key + `: "?([^"\n]+)"?$`).FindSubmatch(text)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// screenOf is the standard error of a program that runs.
type screenOf struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screenOf) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screenOf) find(t *testing.T, what string) string {
	t.Helper()
	pattern := regexp.MustCompile(what)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		s.mu.Lock()
		found := pattern.FindStringSubmatch(s.text.String())
		s.mu.Unlock()
		if found != nil {
			return found[1]
		}
	}
	t.Fatalf("%q has not come within %s: %s", what, patience, s.text.String())
	return ""
}

// login types `setops login`, has a person do what they do at the page that it shows, and gives how it ended.
func (l *laptop) login(at func(page, code string)) (said string, code int) {
	l.t.Helper()
	screen, ended := &screenOf{}, make(chan int, 1)
	var out bytes.Buffer
	go func() {
		ended <- cli.Main(l.t.Context(), []string{"login", "--no-setup"}, l.env, strings.NewReader(""), &out, screen)
	}()
	page := screen.find(l.t, `(http://\S+/device\S+)`)
	at(page, screen.find(l.t, `Code:   (\S+)`))
	select {
	case code = <-ended:
	case <-time.After(patience):
		l.t.Fatalf("login has not ended within %s", patience)
	}
	return out.String() + screen.text.String(), code
}

func TestAPersonSignsInByTheBrowser(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	l, b := w.laptop(t), newBrowser(t)
	said, code := l.login(func(page, shown string) {
		b.open(page).want("/login")
		b.send("email", admin, "password", "guess").want("/login", "do not belong together")
		b.send("password", passwordOf(admin)).want("/device", shown, "Acts as "+admin)
		b.send("decision", "allow").want("/device", "is signed in as "+admin)
	})
	if code != 0 || !strings.Contains(said, "Email:          "+admin) || strings.Contains(said, "sops_") {
		t.Fatalf("login ended with %d: %s", code, said)
	}
	l.must("project:create shop")
	if list := l.must("session"); strings.Count(list, "| person ") != 1 || strings.Count(list, "| browser ") != 1 {
		t.Errorf("the sessions are\n%s", list)
	}

	// The next program needs no password any more, and can be denied.
	other := w.laptop(t)
	said, code = other.login(func(page, shown string) {
		b.open(page).want("/device", shown)
		b.send("decision", "deny").want("/device", "Denied")
	})
	if code != 1 || !strings.Contains(said, "denied in the browser") {
		t.Errorf("login ended with %d: %s", code, said)
	}
	other.fails("project", "You are not signed in")

	// An access token that is over is renewed, and nobody notices.
	first := l.stored("token")
	l.grow()
	if list := l.must("project"); !strings.Contains(list, "shop") || l.stored("token") == first {
		t.Errorf("%s; the token is renewed: %v", list, l.stored("token") != first)
	}

	// Signing the browser out, and the program.
	b.open("/logout").want("/logout").send().want("/logout", "This browser is signed out")
	b.open("/account").want("/login")
	last := l.stored("token")
	l.must("logout")
	l.env = append(l.env, "SETOPS_TOKEN="+last, "SETOPS_ORGANIZATION="+organization)
	l.fails("project", "not known here")
	if log := w.log.String(); strings.Contains(log, first) || strings.Contains(log, passwordOf(admin)) {
		t.Error("the log has a secret")
	}
}

// grow makes the laptop's token as old as one is after an hour.
func (l *laptop) grow() {
	l.t.Helper()
	path := filepath.Join(l.home, ".setops.yml")
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, regexp.MustCompile(`expires_at: .*`).ReplaceAll(text, []byte(`expires_at: "2020-01-01T00:00:00Z"`)), 0o600)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func TestAScriptActsByAnAPIToken(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	session, err := w.signIn(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	l := w.laptop(t)
	l.env = append(l.env, "SETOPS_ORGANIZATION="+organization, "SETOPS_TOKEN="+session)
	l.must("project:create shop")
	token := strings.TrimSpace(l.must("token:create ci --expires 12h"))
	script := w.laptop(t)
	script.env = append(script.env, "SETOPS_ORGANIZATION="+organization, "SETOPS_TOKEN="+token)
	if list := script.must("project"); !strings.Contains(list, "shop") {
		t.Errorf("it sees\n%s", list)
	}
	script.fails("token:create another", "cannot make another one")
	id := regexp.MustCompile(`\| ([0-9a-f]{12}) \| ci `).FindStringSubmatch(l.must("token"))
	if id == nil {
		t.Fatalf("it is not listed:\n%s", l.must("token"))
	}
	script.fails("token:destroy nothing", "no token and no session of yours has it")
	l.must("token:destroy " + id[1])
	script.fails("project", "not known here")
	if strings.Contains(l.must("token"), " ci ") {
		t.Error("it is listed on")
	}
}

func TestASessionHoldsOnEveryServer(t *testing.T) {
	t.Parallel()
	onlyPostgres(t)
	w := openWorld(t)
	other, err := w.join(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	other.await(t, "standby")
	elsewhere := "http://" + other.APIAddress()
	l, b := w.laptop(t), newBrowser(t)
	_, code := l.login(func(page, shown string) {
		b.open(strings.Replace(page, w.url(), elsewhere, 1)).want("/login")
		b.send("email", admin, "password", passwordOf(admin)).want("/device", shown)
		b.send("decision", "allow").want("/device", "is signed in as")
	})
	if code != 0 {
		t.Fatalf("login ended with %d", code)
	}
	l.grow()
	l.must("project:create shop")
}
