package guide

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// How long a command may take, and how long one is repeated.
const (
	commandLimit    = 5 * time.Minute
	eventuallyLimit = time.Minute
	pause           = 250 * time.Millisecond
)

// Config is what a player needs.
type Config struct {
	Programs string    // directory of setops and setopsd
	Root     string    // of the repository, where commands are run
	Out      io.Writer // gets headings, commands and what comes out of them
	Colored  bool      // whether Out understands colours
	Docker   bool      // whether there is a Docker that steps may use
}

// Player plays guides on a server of its own.
type Player struct {
	cfg    Config
	dir    string // everything that is made is in here
	env    []string
	memory memory
	server *server
}

// Names that stand in guides for others.
var names = []string{"<ORGANIZATION>", "demo", "<PROJECT>", "shop", "<STAGE>", "production", "<APPNAME>", "web"}

// NewPlayer makes a directory for all that a guide leaves behind. Close removes it.
func NewPlayer(cfg Config) (*Player, error) {
	dir, err := os.MkdirTemp("", "setops-guide-")
	if err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	p := &Player{cfg: cfg, dir: dir, memory: memory{}}
	if p.env, err = p.environment(); err == nil {
		err = os.Mkdir(p.home(), 0o700)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

func (p *Player) home() string { return filepath.Join(p.dir, "home") }
func (p *Player) data() string { return filepath.Join(p.dir, "data") }

// Play plays a guide, or a part of it, up to the first step that is not true.
func (p *Player) Play(ctx context.Context, g Guide) error {
	for _, part := range g {
		if part.Heading != "" {
			p.print(part.Heading, "1;36", "\n%s\n")
		}
		if part.Step == nil || part.Step.Docker && !p.cfg.Docker {
			continue
		}
		if err := p.step(ctx, part.Step); err != nil {
			return fmt.Errorf("line %d of the guide: %w", part.Step.Line, err)
		}
	}
	return nil
}

func (p *Player) print(text, color, format string) {
	if p.cfg.Colored {
		text = "\x1b[" + color + "m" + text + "\x1b[0m"
	}
	fmt.Fprintf(p.cfg.Out, format, text)
}

func (p *Player) step(ctx context.Context, s *Step) error {
	command := p.memory.fill(p.real(s.Command))
	p.print(strings.ReplaceAll(command, "\n", "\n  "), "1", "\n$ %s\n")
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	switch {
	case s.Server:
		return p.serve(ctx, s, command)
	case s.Eventually:
		return p.repeat(ctx, s, command)
	}
	var got bytes.Buffer
	code, err := p.run(ctx, command, io.MultiWriter(&got, p.cfg.Out))
	if err != nil {
		return err
	}
	return p.compare(s, got.String(), code)
}

// real puts the names, addresses and directories of this player in place of the guide's.
func (p *Player) real(text string) string {
	pairs := append([]string{"/var/lib/setops", p.data(), ".cache/", p.dir + "/"}, names...)
	if p.server != nil {
		pairs = append(pairs, p.server.replacements()...)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func (p *Player) compare(s *Step, got string, code int) error {
	if code != s.Exit {
		return fmt.Errorf("the exit code is %d, not %d; what came out:\n%s", code, s.Exit, got)
	}
	if !s.Compared {
		return nil
	}
	return p.memory.match(p.real(s.Want), got)
}

// run gives the exit code of commands; an error means that they could not be run to their end.
func (p *Player) run(ctx context.Context, command string, out io.Writer) (int, error) {
	c := p.command(ctx, command)
	c.Stdout, c.Stderr = out, out
	err := c.Run()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// command runs in a process group of its own: Ctrl-C is for the player, which ends what it has started.
func (p *Player) command(ctx context.Context, command string) *exec.Cmd {
	c := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", command)
	c.Dir, c.Env = p.cfg.Root, p.env
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second
	return c
}

func (p *Player) repeat(ctx context.Context, s *Step, command string) error {
	ctx, cancel := context.WithTimeout(ctx, eventuallyLimit)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	last := errors.New("it never ended")
	for {
		var got bytes.Buffer
		code, err := p.run(ctx, command, &got)
		if err == nil {
			if err = p.compare(s, got.String(), code); err == nil {
				_, err = p.cfg.Out.Write(got.Bytes())
				return err
			}
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), last)
		}
	}
}

func (p *Player) serve(ctx context.Context, s *Step, command string) (err error) {
	// The server outlives the step; stop ends it.
	c := p.command(context.WithoutCancel(ctx), "exec "+command)
	c.Cancel, c.WaitDelay = nil, 0
	if p.server, err = startServer(ctx, c, filepath.Join(p.dir, "setopsd.log")); err != nil {
		return err
	}
	fmt.Fprint(p.cfg.Out, p.server.said)
	return p.compare(s, p.server.said, 0)
}

// Invitation says how to go on by hand, as long as the server runs.
func (p *Player) Invitation() string {
	return p.real(fmt.Sprintf(`The server stays up. In another terminal:

  export HOME=%s PATH=%s:$HOME/bin:$PATH SETOPS_PROJECT=<PROJECT> SETOPS_STAGE=<STAGE> SETOPS_APP=<APPNAME>
  setops app:ps <APPNAME>
  curl http://<APPNAME>.<STAGE>.<PROJECT>.localhost:8080/

The server's log is %s. Ctrl-C ends the demo and cleans up.`, p.home(), p.cfg.Programs, filepath.Join(p.dir, "setopsd.log")))
}
