// Package cli is the program setops: it runs one command and turns how that ended into a sentence and an exit code.
//
// Follow one call from here: Main makes a kit (what a command needs), root finds the command in the arguments, a package
// below cmd/ runs it with the client of pkg/client, and render prints the result. No other place prints an error or ends
// the program.
package cli

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/setopsco/setops/internal/cli/docker"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/root"
)

// Arguments gives the arguments of setops from those that the program was started with, its name first. Started as the
// credential helper of Docker it is `setops docker`.
func Arguments(started []string) []string {
	if len(started) == 0 {
		return nil
	}
	name := strings.TrimSuffix(filepath.Base(started[0]), ".exe")
	if name == docker.Program {
		return append([]string{"docker"}, started[1:]...)
	}
	return started[1:]
}

// Main runs setops with the arguments after the program's name and an environment like os.Environ's, and returns the exit
// code. When ctx is done, the command detaches from what the server does for it.
func Main(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	k := kit.New(kit.Streams{In: stdin, Out: stdout, Err: stderr}, lookup(environ), root.Version())
	err := root.Execute(ctx, root.New(k), args)
	if err != nil && root.AsksJSON(args) {
		k.Flags.Output = kit.JSON // where a flag before it was wrong, the parser did not come to it
	}
	return report(k, k.WithSimilarNames(ctx, err))
}

// lookup reads variables from a list of NAME=value, of which the last one holds.
func lookup(environ []string) func(string) string {
	return func(name string) string {
		for i := len(environ) - 1; i >= 0; i-- {
			if value, found := strings.CutPrefix(environ[i], name+"="); found {
				return value
			}
		}
		return ""
	}
}
