// Command demo is `make demo`: it plays the guide to deployment where one can watch. With a terminal it stays up before
// the guide cleans up, so that one can play on; without one it goes through. Its exit code is 0 only if every step of
// the guide was true and nothing of it is left on the machine.
//
// It is run in the repository, after `make build`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/term"

	"github.com/setopsco/setops/internal/guide"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "\nThe demo failed: %v\n", err)
		os.Exit(1)
	}
}

// signals end what is played, never the clean-up behind it. One comes too when whoever watches goes away.
var signals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE}

func run() (err error) {
	signal.Notify(make(chan os.Signal, 1), signals...)
	if os.Geteuid() != 0 {
		return errors.New("the embedded engine needs root; run `sudo make demo`, or read docs/app-deployment.md")
	}
	text, err := os.ReadFile("docs/app-deployment.md")
	if err != nil {
		return err
	}
	steps, err := guide.Parse(string(text))
	if err != nil {
		return err
	}
	programs, err := filepath.Abs("bin")
	if err != nil {
		return err
	}
	screen := term.IsTerminal(int(os.Stdout.Fd()))
	player, err := guide.NewPlayer(guide.Config{Programs: programs, Root: ".", Out: os.Stdout, Colored: screen})
	if err != nil {
		return err
	}
	if err := errors.Join(play(player, steps, screen && term.IsTerminal(int(os.Stdin.Fd()))), player.Close()); err != nil {
		return err
	}
	fmt.Println("\nEvery step was true. The server has stopped, and nothing of it is left.")
	return nil
}

func play(p *guide.Player, steps guide.Guide, stays bool) error {
	before, after := steps.Split()
	if err := interruptible(func(ctx context.Context) error { return p.Play(ctx, before) }); err != nil {
		return err
	}
	if stays {
		fmt.Printf("\n%s\n", p.Invitation())
		_ = interruptible(func(ctx context.Context) error { <-ctx.Done(); return nil })
	}
	return interruptible(func(ctx context.Context) error { return p.Play(ctx, after) })
}

// interruptible runs something that Ctrl-C ends; what follows it is not ended by the same Ctrl-C.
func interruptible(f func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	return f(ctx)
}
