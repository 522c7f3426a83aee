package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/cli"
	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal: what the program writes to tty can be read, and typed text reaches the program.
type terminal struct {
	t        *testing.T
	keyboard *os.File
	tty      *os.File

	mu   sync.Mutex
	seen bytes.Buffer
	done sync.WaitGroup
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("open a terminal: %v", err)
	}
	fd := int(keyboard.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120}); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, keyboard: keyboard, tty: tty}
	term.done.Go(term.read)
	t.Cleanup(term.close)
	return term
}

// read ends when the tty is closed.
func (x *terminal) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := x.keyboard.Read(buffer)
		x.mu.Lock()
		x.seen.Write(buffer[:n])
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (x *terminal) close() {
	_ = x.tty.Close()
	x.done.Wait()
	_ = x.keyboard.Close()
}

func (x *terminal) raw() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seen.String()
}

// await waits until the screen shows text.
func (x *terminal) await(text string) {
	x.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(x.raw(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			x.t.Fatalf("the terminal never showed %q: %q", text, x.raw())
		}
	}
}

// awaitSilence waits until the terminal no longer shows what is typed.
func (x *terminal) awaitSilence() {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if state, err := unix.IoctlGetTermios(int(x.tty.Fd()), unix.TCGETS); err == nil && state.Lflag&unix.ECHO == 0 {
			return
		}
	}
	x.t.Error("the terminal shows what is typed")
}

var (
	steering = regexp.MustCompile(`\x1b\[[0-9;?]*[a-zA-Z]`)
	toErase  = regexp.MustCompile(`^.*\r\x1b\[K`)
)

// screen is what a person sees once everything is written: lines that were erased are gone.
func (x *terminal) screen() string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(x.raw(), "\r\n", "\n"), "\n") {
		line = steering.ReplaceAllString(toErase.ReplaceAllString(line, ""), "")
		if i := strings.LastIndex(line, "\r"); i >= 0 {
			line = line[i+1:]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// runOn runs setops with standard error, and input where asked, on a terminal.
func (s *session) runOn(x *terminal, args ...string) (stdout string, code int) {
	var out bytes.Buffer
	code = cli.Main(s.t.Context(), args, s.environ, x.tty, &out, x.tty)
	_, _ = fmt.Fprint(x.tty, "<end>")
	x.await("<end>")
	return out.String(), code
}

// runOnWholly is runOn with standard output on the terminal, too.
func (s *session) runOnWholly(x *terminal, args ...string) string {
	cli.Main(s.t.Context(), args, s.environ, x.tty, x.tty, x.tty)
	_, _ = fmt.Fprint(x.tty, "<end>")
	x.await("<end>")
	return strings.ReplaceAll(x.raw(), "\r\n", "\n")
}

func TestOnATerminalEachPhaseOfACommitLeavesItsLine(t *testing.T) {
	s, x := newSession(t), newTerminal(t)
	stdout, code := s.runOn(x, "-p", "shop", "-s", "production", "changeset:commit")
	if want := "◢ Initializing…\n◤ Planning…\n◣ Applying… (3/3)\n<end>"; code != 0 || x.screen() != want {
		t.Errorf("exit code %d, the screen is\n%s\nwant\n%s", code, x.screen(), want)
	}
	if !strings.HasSuffix(stdout, "\n\nCommit successful!\n") {
		t.Errorf("standard output: %s", stdout)
	}
	if raw := x.raw(); strings.Count(raw, "\x1b[?25l") != strings.Count(raw, "\x1b[?25h") {
		t.Errorf("the cursor stays hidden: %q", raw)
	}
}

func TestAFailedCommitKeepsTheLinesAboveItsReason(t *testing.T) {
	s, x := newSession(t), newTerminal(t)
	_, code := s.runOn(x, "-p", "shop", "-s", "broken", "changeset:commit")
	if want := "◣ Applying… (1/3)\nError: The commit failed"; code != 1 || !strings.Contains(x.screen(), want) {
		t.Errorf("exit code %d, the screen is\n%s", code, x.screen())
	}
}

func TestOnATerminalACommitThatWaitsSaysForWhom(t *testing.T) {
	s, x := newSession(t), newTerminal(t)
	s.runOn(x, "-p", "shop", "-s", "queued", "changeset:commit")
	want := "◥ Waiting for 1 other commit…\n◢ Initializing…\n◤ Planning…\n◣ Applying… (3/3)\n<end>"
	if x.screen() != want { // of lines that follow one another at once the spinner may draw the last alone
		t.Errorf("the screen is\n%s\nwant\n%s\nwritten was %q", x.screen(), want, x.raw())
	}
}

func TestOnATerminalACancelledCommitSaysThatItIsUndone(t *testing.T) {
	s, x := newSession(t), newTerminal(t)
	_, code := s.runOn(x, "-p", "shop", "-s", "cancelled", "changeset:attach")
	if want := "◣ Applying… (1/3)\n◥ Undoing…\nError: The commit was cancelled by bob"; code != 1 || !strings.Contains(x.screen(), want) {
		t.Errorf("exit code %d, the screen is\n%s", code, x.screen())
	}
}

func TestOnATerminalADiffIsColoured(t *testing.T) {
	s, x := newSession(t), newTerminal(t)
	got := s.runOnWholly(x, "-p", "shop", "-s", "production", "changeset:diff")
	for _, want := range []string{
		"\x1b[1mApp web: changed, restarts (release 2 → 3, env.GREETING)\x1b[0m\n",
		"   \x1b[33m~ resources.scale                   1 → 2\x1b[0m\n", "   \x1b[31m- env.DEBUG                         true\x1b[0m\n",
		"   \x1b[32m+ domains.www.example.com.primary   true\x1b[0m\n", "   \x1b[31m🔴 lost for good: its logs\x1b[0m\n",
		`\x1b[2J now`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the terminal lacks %q: %q", want, got)
		}
	}
}

func TestColoursCanBeTurnedOff(t *testing.T) {
	plain := newSession(t).run("-p", "shop", "-s", "production", "changeset:diff").stdout
	for _, variable := range []string{"NO_COLOR=1", "TERM=dumb", "CI=true", "SETOPS_STAGE=x -o plain"} {
		s, x := newSession(t), newTerminal(t)
		variable, arguments, _ := strings.Cut(variable, " ")
		s.environ = append(s.environ, variable)
		got := s.runOnWholly(x, append(strings.Fields(arguments), "-p", "shop", "-s", "production", "changeset:diff")...)
		if got != plain+"<end>" {
			t.Errorf("%s: %q, want %q", variable, got, plain)
		}
	}
}

func TestOnATerminalAPlanSaysHowToCommitIt(t *testing.T) {
	s, x := newSession(t), newTerminal(t)
	got := s.runOnWholly(x, "-p", "shop", "-s", "production", "changeset:plan")
	if want := "`setops -p shop -s production changeset:commit --plan " + planHash + "` does exactly that."; !strings.Contains(got, want) {
		t.Errorf("the terminal lacks %q: %q", want, got)
	}
	if got := s.runOnWholly(newTerminal(t), "-p", "shop", "-s", "unchanged", "changeset:plan"); strings.Contains(got, "changeset:commit") {
		t.Errorf("a plan that does nothing says how to commit it: %q", got)
	}
}

func TestATerminalThatCannotTurnASpinnerGetsLines(t *testing.T) {
	for _, variable := range []string{"TERM=dumb", "CI=true", "NO_COLOR=1"} {
		s, x := newSession(t), newTerminal(t)
		s.environ = append(s.environ, variable)
		s.runOn(x, "-p", "shop", "-s", "production", "changeset:commit")
		want := "Initializing…\nPlanning…\nApplying… (1/3)\nApplying… (2/3)\nApplying… (3/3)\n<end>"
		if got := strings.ReplaceAll(x.raw(), "\r\n", "\n"); got != want {
			t.Errorf("%s: %q, want %q", variable, got, want)
		}
	}
}

func TestQuietIsQuietOnATerminalToo(t *testing.T) {
	s, x := newSession(t), newTerminal(t)
	stdout, code := s.runOn(x, "-q", "-p", "shop", "-s", "production", "changeset:commit")
	if code != 0 || x.raw() != "<end>" || !strings.HasSuffix(stdout, "\n\nCommit successful!\n") {
		t.Errorf("exit code %d, the terminal shows %q, standard output is %s", code, x.raw(), stdout)
	}
	s, x = newSession(t), newTerminal(t)
	if _, code := s.runOn(x, "-q", "-p", "shop", "-s", "broken", "changeset:commit"); code != 1 || !strings.HasPrefix(x.raw(), "Error: The commit failed") {
		t.Errorf("exit code %d, the terminal shows %q", code, x.raw())
	}
}

func TestOnATerminalStagedCommandsSayWhatIsNext(t *testing.T) {
	s, x := newSession(t), newTerminal(t)
	stdout, _ := s.runOn(x, "-p", "shop", "-s", "production", "app:create", "web")
	if stdout != "Name:   web\n" || !strings.Contains(x.screen(), "setops changeset:commit") {
		t.Errorf("standard output %q, the screen is %s", stdout, x.screen())
	}
}

func TestOnATerminalLoginAsksAndHidesThePassword(t *testing.T) {
	s, path := signedOut(t)
	x := newTerminal(t)
	write(t, path, "organization: demo\n")
	var wait sync.WaitGroup
	wait.Go(func() {
		for _, step := range []struct{ asked, typed string }{
			{"Organization [demo]: ", "\n"},
			{"E-mail: ", "ada@example.com\n"},
			{"Password: ", "correct horse \n"},
		} {
			x.await(step.asked)
			if step.asked == "Password: " {
				x.awaitSilence()
			}
			_, _ = x.keyboard.WriteString(step.typed)
		}
	})
	_, code := s.runOn(x, "login", "--password", "--no-setup", "--url", s.server.URL)
	wait.Wait()
	if code != 0 || strings.Contains(x.raw(), "horse") {
		t.Errorf("exit code %d, the screen is %q", code, x.raw())
	}
	if body := s.server.last(t, "POST").body; body != `{"organization":"demo","email":"ada@example.com","password":"correct horse "}` {
		t.Errorf("sent %s", body)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == ".setops.yml" }) || len(entries) != 2 { // and its lock
		t.Errorf("%v, the home directory holds %v", err, entries)
	}
}

func TestOnATerminalThePagesOfTheManualAreShownByAPager(t *testing.T) {
	s, x := newSession(t), newTerminal(t)
	s.set("PAGER", "sed 's/^/paged: /'")
	if raw := s.runOnWholly(x, "docs", "rollback"); !strings.Contains(raw, "paged: \x1b[1mGo back\x1b[0m\n") {
		t.Errorf("the screen is %q", raw)
	}
	for _, without := range []string{"PAGER=cat", "PAGER=no-such-program -x", "TERM=dumb"} {
		s, x := newSession(t), newTerminal(t)
		name, value, _ := strings.Cut(without, "=")
		s.set(name, value)
		if raw := s.runOnWholly(x, "docs", "rollback"); !strings.Contains(raw, "Go back") || strings.Contains(raw, "paged") {
			t.Errorf("%s: the screen is %q", without, raw)
		}
	}
}

func TestOnATerminalLoginOpensTheBrowserAndWaits(t *testing.T) {
	s, _ := signedOut(t)
	browser, opened := fakeBrowser(t)
	s.set("BROWSER", browser)
	s.server.answers = []string{"authorization_pending"}
	x := newTerminal(t)
	stdout, code := s.runOn(x, "login", "--no-setup", "--url", s.server.URL)
	page := s.server.URL + "/device?user_code=BCDF-GHJK"
	if want := "\n   " + page + "\n\n   Code:   BCDF-GHJK\n\n◢ Waiting for the browser…\n<end>"; code != 0 || !strings.HasSuffix(x.screen(), want) {
		t.Errorf("exit code %d, the screen is\n%s\nwant at its end\n%s", code, x.screen(), want)
	}
	for deadline := time.Now().Add(patience); opened() != page && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		continue // login does not wait for the browser
	}
	if opened() != page || !strings.HasPrefix(stdout, "Organization:   demo\n") {
		t.Errorf("opened was %q, standard output: %s", opened(), stdout)
	}
	if raw := x.raw(); strings.Count(raw, "\x1b[?25l") != strings.Count(raw, "\x1b[?25h") {
		t.Errorf("the cursor stays hidden: %q", raw)
	}
}

func TestOnATerminalWithoutADisplayNoBrowserIsLookedFor(t *testing.T) {
	s, _ := signedOut(t)
	x := newTerminal(t)
	_, code := s.runOn(x, "login", "--no-setup", "--url", s.server.URL)
	if code != 0 || !strings.Contains(x.screen(), "/device?user_code=BCDF-GHJK") {
		t.Errorf("exit code %d, the screen is\n%s", code, x.screen())
	}
}
