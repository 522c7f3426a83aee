package kit

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/term"
)

// Widths in columns of text that is folded: off a terminal, and at most.
const (
	plainWidth = 100
	mostWidth  = 110
)

// Width is how many columns there are for text that is folded.
func (k *Kit) Width() int {
	if f, ok := k.Out.(*os.File); ok && IsTerminal(f) {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return min(width, mostWidth)
		}
	}
	return plainWidth
}

// Page shows a long text: on a terminal through the program of PAGER, or less where that is there, and else as it is.
func (k *Kit) Page(ctx context.Context, text string) error {
	if pager := k.pager(); pager != "" {
		cmd := exec.CommandContext(ctx, "sh", "-c", pager)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), k.Out, k.Err
		cmd.Env = os.Environ()
		if k.Getenv("LESS") == "" {
			cmd.Env = append(cmd.Env, "LESS=FRX") // a short page stays on the screen; colours are shown
		}
		err := cmd.Run()
		var exit *exec.ExitError
		if err == nil || errors.As(err, &exit) && exit.ExitCode() != notFound {
			return nil // whoever leaves a pager early has read enough
		}
	}
	_, err := io.WriteString(k.Out, text)
	return err
}

// notFound is how sh ends for a program that is not there.
const notFound = 127

// pager is a command line for sh, empty where the text is to be printed as it is.
func (k *Kit) pager() string {
	if !IsTerminal(k.Out) || !k.forPeople() || runtime.GOOS == "windows" {
		return ""
	}
	pager := strings.TrimSpace(k.Getenv("PAGER"))
	if pager == "" {
		pager = "less"
	}
	if program, _, _ := strings.Cut(pager, " "); program == "cat" {
		return ""
	} else if _, err := exec.LookPath(program); err != nil {
		return ""
	}
	return pager
}
