package stage

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

type dumpOptions struct{ kit *kit.Kit }

func newDump(k *kit.Kit, run func(context.Context, *dumpOptions) error) *cobra.Command {
	opts := &dumpOptions{kit: k}
	return &cobra.Command{
		Use:   "stage:dump",
		Short: "Print the definition of a stage",
		Long: "Print the committed state of a stage as its definition, in YAML: all apps with their settings, variables, domains and the tags of\n" +
			"their images. Applied again it changes nothing; the same state is always the same text. Values of secret variables are not in\n" +
			"it: {{ .Secrets.NAME }} stands for them. With -o json it is the same as an object, which `setops stage:apply` takes as well.",
		Example: "  setops -p shop -s production stage:dump > production.yml\n" +
			"  setops -p shop -s production stage:dump | setops -p shop -s production stage:apply -f -",
		Args: kit.AtMostArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runDump(ctx context.Context, opts *dumpOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	d, err := c.Definition(ctx, ref)
	if err != nil {
		return err
	}
	return opts.kit.Show(d.Document, func(w io.Writer) error {
		_, err := io.WriteString(w, d.Text)
		return err
	})
}
