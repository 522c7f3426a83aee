package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

type createOptions struct {
	kit  *kit.Kit
	name string
	life life
}

// defaultLife is how long a token holds that is not told otherwise.
const defaultLife = life(365 * day)

func newCreate(k *kit.Kit, run func(context.Context, *createOptions) error) *cobra.Command {
	opts := &createOptions{kit: k, life: defaultLife}
	cmd := &cobra.Command{
		Use:   "token:create NAME",
		Short: "Make an API token for a script",
		Long: "Make an API token, which may do what you may in this organization, and print it, this once. Give it to a script as\n" +
			"SETOPS_TOKEN, with SETOPS_URL and SETOPS_ORGANIZATION. It holds for 365 days unless --expires says otherwise.\n\n" +
			"A token cannot make tokens: that takes `setops login`.",
		Example: "  setops token:create ci\n" +
			"  setops token:create nightly --expires 90d\n" +
			"  SETOPS_TOKEN=$(setops token:create release --expires 12h) ./release.sh",
		Args: kit.ExactArgs("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = args[0]
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().Var(&opts.life, "expires", "how long it holds: `DURATION` as 12h or 90d, or never")
	return cmd
}

func runCreate(ctx context.Context, opts *createOptions) error {
	c, err := opts.kit.Client()
	if err != nil {
		return err
	}
	t, err := c.CreateToken(ctx, opts.name, time.Duration(opts.life))
	if err != nil {
		return err
	}
	err = opts.kit.Show(t, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, t.Token)
		return err
	})
	if err == nil && opts.kit.Flags.Output != kit.JSON {
		opts.kit.Note("This is shown once. `setops token:destroy %s` makes it worthless.", t.ID)
	}
	return err
}

// life is the value of --expires; 0 is never.
type life time.Duration

const day = 24 * time.Hour

// Set reads the flag.
func (l *life) Set(value string) error {
	errForm := errors.New("it must be a time such as 12h or 90d, or never")
	if value == "never" {
		*l = 0
		return nil
	}
	if days, ok := strings.CutSuffix(value, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 15)
		if err != nil || n == 0 {
			return errForm
		}
		*l = life(time.Duration(n) * day)
		return nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < time.Second {
		return errForm
	}
	*l = life(d)
	return nil
}

// String is the flag's value.
func (l *life) String() string {
	d := time.Duration(*l)
	switch {
	case d == 0:
		return "never"
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}

// Type is what is said of the flag where a value does not fit.
func (l *life) Type() string { return "life" }
