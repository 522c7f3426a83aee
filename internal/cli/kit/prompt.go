package kit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Prompter asks a person.
type Prompter interface {
	// Ask reads a line; an empty one means preset.
	Ask(ctx context.Context, label, preset string) (string, error)
	// Secret reads a line without showing it.
	Secret(ctx context.Context, label string) (string, error)
}

// terminal asks on the user's terminal.
type terminal struct {
	in     io.Reader
	out    io.Writer
	reader *bufio.Reader
}

func (t *terminal) Ask(ctx context.Context, label, preset string) (string, error) {
	if preset != "" {
		label += " [" + preset + "]"
	}
	if _, err := fmt.Fprint(t.out, label+": "); err != nil {
		return "", err
	}
	if t.reader == nil {
		t.reader = bufio.NewReader(t.in)
	}
	line, err := await(ctx, func() (string, error) { return t.reader.ReadString('\n') })
	if err != nil {
		_, _ = fmt.Fprintln(t.out) // the shell's prompt is to start on a line of its own
		return "", fmt.Errorf("read the answer: %w", err)
	}
	return first(strings.TrimSpace(line), preset), nil
}

func (t *terminal) Secret(ctx context.Context, label string) (string, error) {
	f, ok := t.in.(*os.File)
	if !ok {
		return "", errors.New("a password can only be typed on a terminal")
	}
	if _, err := fmt.Fprint(t.out, label+": "); err != nil {
		return "", err
	}
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", fmt.Errorf("read the terminal's state: %w", err)
	}
	secret, err := await(ctx, func() (string, error) {
		text, err := term.ReadPassword(int(f.Fd()))
		return string(text), err
	})
	_ = term.Restore(int(f.Fd()), before) // an interrupted read leaves the echo off
	_, _ = fmt.Fprintln(t.out)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return secret, nil
}

// await gives up a blocking read when ctx is done. A read of a terminal cannot be taken back: its goroutine ends with
// the process, which is what an interrupted prompt is followed by.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := read()
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
