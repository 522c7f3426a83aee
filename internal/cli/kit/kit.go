// Package kit is what a command needs: streams, flags, scope, the client and the ways to show a result. It knows no
// command; everything costly in it is made when it is first asked for, so that `setops version` reads no file.
//
// A command keeps a *Kit in its options. Start with Kit, then Stage and App for the scope, then Show.
package kit

import (
	"io"
	"os"
	"sync"

	"github.com/setopsco/setops/internal/cli/config"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/client"
	"golang.org/x/term"
)

// Kit is what a command needs.
type Kit struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Flags    Flags
	Version  string
	Prompt   Prompter

	// Config is what files and variables say; Client speaks to their server as their user, and fails without a session.
	Config func() (*config.Config, error)
	Client func() (*client.Client, error)

	asked   client.AppRef // what the command is about, as far as it has asked for that
	hurried bool          // somebody has pressed the tab key: ask once, and not again
}

// Flags are the flags that every command has.
type Flags struct {
	Project, Stage, App, Domain string
	Output                      Output
	Debug, Quiet                bool
}

// Streams are the three standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// New makes a kit of the world around it.
func New(s Streams, getenv func(string) string, version string) *Kit {
	k := &Kit{In: s.In, Out: s.Out, Err: s.Err, Getenv: getenv, Version: version}
	k.Flags.Output = Table
	k.Prompt = &terminal{in: s.In, out: s.Err}
	k.Config = sync.OnceValues(func() (*config.Config, error) {
		dir, err := os.Getwd()
		if err != nil {
			dir = "" // a directory that was removed has no project's file
		}
		return config.Load(config.Source{Getenv: getenv, Dir: dir})
	})
	k.Client = sync.OnceValues(k.signedIn)
	return k
}

// Interactive says whether a person sits before both the standard input and the standard error.
func (k *Kit) Interactive() bool { return IsTerminal(k.In) && IsTerminal(k.Err) }

// Animated says whether the standard error can show a spinner: it is a terminal that understands it, and no build server.
func (k *Kit) Animated() bool {
	return IsTerminal(k.Err) && k.forPeople() && !k.Flags.Quiet
}

// Paint gives the colours of the standard output: none where it is no terminal that shows them.
func (k *Kit) Paint() render.Paint { return render.Paint(IsTerminal(k.Out) && k.forPeople()) }

// forPeople says whether what is shown on a terminal may be more than lines of text.
func (k *Kit) forPeople() bool {
	lines := k.Getenv("NO_COLOR") != "" || k.Getenv("CI") != "" || k.Getenv("TERM") == "dumb"
	return (k.Flags.Output == Table || k.Flags.Output == Wide) && !lines
}

// IsTerminal says whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
