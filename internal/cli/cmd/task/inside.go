package task

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

type attachOptions struct {
	kit  *kit.Kit
	id   string
	argv []string
}

func newAttach(k *kit.Kit, run func(context.Context, *attachOptions) error) *cobra.Command {
	opts := &attachOptions{kit: k}
	return &cobra.Command{
		Use:   "task:attach ID -- ARGV",
		Short: "Run a command inside a running task",
		Long: "Run a command inside a task that runs, beside its own program and with its environment, and give it your terminal: keys\n" +
			"as Ctrl-C and Ctrl-D go to the command. Where standard input or output is no terminal, bytes are passed as they are,\n" +
			"and standard output and errors are kept apart. The exit code is that of the command.\n\n" +
			"The command ends with this one: when it is interrupted by a signal, or the connection is lost, it is killed.",
		Example: "  setops -p shop -s production --app web task:attach 5b01a061 -- bash\n" +
			"  setops -p shop -s production --app web task:attach 5b01a061 -- tar -c /data > data.tar\n" +
			"  setops -p shop -s production --app web task:attach 5b01a061 -- psql < seed.sql",
		Args: kit.SomeArgs("the ID of a task"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.id, opts.argv = args[0], args[1:]
			switch {
			case opts.id == "":
				return &kit.Usage{
					Message: "The ID of a task is missing: the one that was given is empty.",
					Next:    "`setops task` and `setops app:ps APP` list tasks with their IDs.",
				}
			case len(opts.argv) == 0:
				return &kit.Usage{Message: "There is no command to run.", Next: "Add it at the end, behind --, as in `task:attach ID -- bash`."}
			}
			return run(cmd.Context(), opts)
		},
	}
}

func runAttach(ctx context.Context, opts *attachOptions) error {
	k := opts.kit
	ref, c, err := k.AtApp("")
	if err != nil {
		return err
	}
	code, err := inside(ctx, k, c, ref, opts)
	if err != nil {
		return cut(opts.id, err)
	}
	if k.Flags.Output == kit.JSON {
		if err := render.JSON(k.Out, api.AttachEnd{ExitCode: &code}); err != nil {
			return err
		}
	}
	if code != 0 {
		return kit.ExitCode(code)
	}
	return nil
}

// inside runs the program with the terminal, where there is one.
func inside(ctx context.Context, k *kit.Kit, c *client.Client, ref client.AppRef, opts *attachOptions) (code int, err error) {
	err = withStreams(ctx, k, func(ctx context.Context, a client.Attached) error {
		code, err = c.Attach(ctx, ref, opts.id, opts.argv, a)
		return err
	})
	return code, err
}

// withStreams gives a program elsewhere the terminal, where there is one, and takes it back however that ends.
func withStreams(ctx context.Context, k *kit.Kit, run func(context.Context, client.Attached) error) error {
	a := client.Attached{Input: k.In, Out: k.Out, Err: k.Err}
	if k.Flags.Output == kit.JSON {
		a.Out = k.Err // standard output is for how it ends alone
		return run(ctx, a)
	}
	terminal, ok, err := k.RawTerminal()
	if err != nil {
		return err
	}
	if !ok {
		return run(ctx, a)
	}
	defer terminal.Restore()
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	resized := make(chan api.TerminalSize)
	watching.Go(func() {
		terminal.EachSize(ctx, func(columns, rows int) {
			select {
			case resized <- sizeOf(columns, rows):
			case <-ctx.Done():
			}
		})
	})
	a.Terminal, a.Size, a.Resized = true, sizeOf(terminal.Size()), resized
	return run(ctx, a)
}

func sizeOf(columns, rows int) api.TerminalSize {
	const most = 1<<16 - 1
	return api.TerminalSize{Columns: uint16(min(columns, most)), Rows: uint16(min(rows, most))}
}

// cut says what became of a command that this one did not see to its end.
func cut(id string, err error) error {
	var lost *client.ConnectionError
	switch {
	case errors.Is(err, context.Canceled):
		return &kit.Failure{Message: fmt.Sprintf("Interrupted; the command in task %s was ended.", id), Code: kit.ExitInterrupted, Plain: true, Err: err}
	case errors.As(err, &lost) && lost.Err != nil:
		return &kit.Failure{Message: fmt.Sprintf("There is no connection to %s (any more); what ran of the command in task %s is ended.", lost.Address, id), Err: err}
	}
	return err
}
