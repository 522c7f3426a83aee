package release

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type createOptions struct {
	kit    *kit.Kit
	digest string
}

func newCreate(k *kit.Kit, run func(context.Context, *createOptions) error) *cobra.Command {
	opts := &createOptions{kit: k}
	return &cobra.Command{
		Use:   "release:create DIGEST",
		Short: "Create a release of a pushed image",
		Long: "Create a release of an image that was pushed to the app. It is staged: until `setops changeset:commit` only you\n" +
			"can see it, and run it with `setops task:run --release`, for migrations before a deploy.",
		Example: "  setops -p shop -s production --app web release:create sha256:2b51cdaabcdc9c35b36e998ec81d2ed8507def0e4709a4d5003414e727e67fa9",
		Args:    kit.ExactArgs("the DIGEST of an image"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.digest = args[0]
			return run(cmd.Context(), opts)
		},
	}
}

func runCreate(ctx context.Context, opts *createOptions) error {
	ref, c, err := opts.kit.AtApp("")
	if err != nil {
		return err
	}
	staged, err := c.StageCommands(ctx, ref.StageRef, api.ReleaseCreate{Name: ref.App, Digest: opts.digest})
	if err != nil {
		return err
	}
	created := staged.Effects[0]
	err = opts.kit.Show(staged, func(w io.Writer) error {
		return new(render.Block).Add("ReleaseID", created.ReleaseID).Add("Digest", created.Digest).Write(w)
	})
	if err != nil {
		return err
	}
	opts.kit.Note("Release %d is staged: you can run it with `setops task:run --release %d`; `setops changeset:commit` creates it.",
		created.ReleaseID, created.ReleaseID)
	return nil
}
