package kit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
)

// Output is the value of -o/--output.
type Output string

// The outputs: Plain is Table without colours and anything that moves, Wide is Table with all its columns.
const (
	Table Output = "table"
	Wide  Output = "wide"
	Plain Output = "plain"
	JSON  Output = "json"
)

// Outputs lists them, for completion.
func Outputs() []string { return []string{string(Table), string(Wide), string(Plain), string(JSON)} }

// Set reads the flag.
func (o *Output) Set(value string) error {
	if !slices.Contains(Outputs(), value) {
		return errors.New("it must be table, wide, plain or json")
	}
	*o = Output(value)
	return nil
}

// String is the flag's value.
func (o *Output) String() string { return string(*o) }

// Type is the flag's placeholder in help.
func (o *Output) Type() string { return "FORMAT" }

// Show prints a result on standard output: value where JSON is asked for, else what human writes.
func (k *Kit) Show(value any, human func(io.Writer) error) error {
	if k.Flags.Output == JSON {
		return render.JSON(k.Out, value)
	}
	out := bufio.NewWriter(k.Out) // one write per screen
	if err := human(out); err != nil {
		return err
	}
	return out.Flush()
}

// ShowNames prints a list with the one column NAME; plural is its name in the API.
func (k *Kit) ShowNames(plural string, list any, names []string) error {
	return k.Show(map[string]any{plural: list}, func(w io.Writer) error {
		rows := make([][]string, 0, len(names))
		for _, name := range names {
			rows = append(rows, []string{name})
		}
		return render.Table(w, []string{"Name"}, rows)
	})
}

// Notes is where all goes that is neither a result nor an error: standard error, or nowhere with --quiet.
func (k *Kit) Notes() io.Writer {
	if k.Flags.Quiet {
		return io.Discard
	}
	return k.Err
}

// Note prints a line for people on standard error, unless they want quiet.
func (k *Kit) Note(format string, args ...any) {
	_, _ = fmt.Fprintf(k.Notes(), format+"\n", args...)
}

// Complain says on standard error what went wrong, even where quiet is wanted; to programs in one line of JSON.
func (k *Kit) Complain(prefix string, p api.Problem) {
	if k.Flags.Output == JSON {
		_ = render.JSONLine(k.Err, api.Problems{Error: p})
		return
	}
	text := Failure{Message: p.Message, Next: p.Next}
	_, _ = fmt.Fprintf(k.Err, "%s%s\n", prefix, text.Error())
}

// Hint is a Note that scripts need not see: it is left out where standard error is no terminal.
func (k *Kit) Hint(format string, args ...any) {
	if IsTerminal(k.Err) && k.Flags.Output != JSON {
		k.Note(format, args...)
	}
}
